"""Who people are: one user, a volunteer unless a row elsewhere says more."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from rest_framework.authtoken.models import Token

from archive.trust import Trust, is_suspended


class People(UserManager["User"]):
    """Everybody; a name is somebody's whatever its capitals, also to `createsuperuser`."""

    use_in_migrations = False

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username__iexact=username)


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

    trust = models.CharField(_("trust"), max_length=10, choices=Trust, default=Trust.NEW)
    # What a steward's "back" leads to.
    trust_before = models.CharField(max_length=10, choices=Trust, blank=True)
    # A guest of a workshop counts as regular until then.
    regular_until = models.DateTimeField(null=True, blank=True)
    # From then on what is public says "a volunteer"; the frozen accounts keep the name.
    name_hidden_at = models.DateTimeField(null=True, blank=True)
    # Its owner has left; nobody switches it on again.
    closed_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[People] = People()

    class Meta(AbstractUser.Meta):
        verbose_name = _("person")  # type: ignore[assignment]
        verbose_name_plural = _("people")  # type: ignore[assignment]
        constraints = (
            # Two of which only the capitals differ would keep each other from signing in.
            models.UniqueConstraint(Lower("username"), name="person_name_once"),
            models.CheckConstraint(condition=Q(trust__in=Trust.values), name="person_trust_known"),
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(is_active=False), name="person_closed_is_off"
            ),
        )
        indexes = (
            # The sweep looks for who may be trusted more.
            models.Index(fields=("trust", "date_joined"), name="person_trust"),
        )

    def __str__(self) -> str:
        return self.display_name or self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        """With a new password the token ends, as Django ends every session: both may be stolen."""
        # Django keeps the new word until it is saved; not where it only hashes the old one anew.
        word = self._password  # type: ignore[attr-defined]
        with transaction.atomic():
            super().save(*args, **kwargs)
            if word is not None:
                Token.objects.filter(user=self).delete()

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        """A steward may do everything in the administration; others as Django says."""
        return self._rules() or (not is_suspended(self) and super().has_perm(perm, obj))

    def has_module_perms(self, app_label: str) -> bool:
        return self._rules() or (not is_suspended(self) and super().has_module_perms(app_label))

    def _rules(self) -> bool:
        return self.is_active and self.is_steward and not is_suspended(self)
