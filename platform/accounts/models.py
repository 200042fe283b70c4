"""Who people are: one user, a volunteer unless a row elsewhere says more."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person. Curator is a row per collection (archive.Curatorship), steward a mark here."""

    display_name = models.CharField(
        _("name shown in public"),
        max_length=80,
        blank=True,
        help_text=_("Credits use this name. Leave it empty to be credited by your user name."),
    )
    # The language of a device is a cookie; this one is for the next device.
    language = models.CharField(_("language"), max_length=10, blank=True)
    is_steward = models.BooleanField(
        _("steward"), default=False, help_text=_("Runs the site: people, queues, storage.")
    )

    class Meta(AbstractUser.Meta):
        verbose_name = _("person")  # type: ignore[assignment]
        verbose_name_plural = _("people")  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.display_name or self.username

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        """A steward may do everything in the administration; others as Django says."""
        return (self.is_active and self.is_steward) or super().has_perm(perm, obj)

    def has_module_perms(self, app_label: str) -> bool:
        return (self.is_active and self.is_steward) or super().has_module_perms(app_label)
