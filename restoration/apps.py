"""Application configuration of the restoration work."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RestorationConfig(AppConfig):
    name = "restoration"
    verbose_name = _("Restoration")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """After every `migrate` the database keeps count again."""
        post_migrate.connect(_keep_count, sender=self)


def _keep_count(using: str, **_more: Any) -> None:
    from archive.triggers import react
    from restoration.reactions import REACTIONS

    react(REACTIONS, using=using)
