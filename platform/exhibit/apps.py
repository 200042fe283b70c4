"""Application configuration of the exhibit."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ExhibitConfig(AppConfig):
    name = "exhibit"
    verbose_name = _("Exhibit")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """After every `migrate` the database watches over public rows again."""
        post_migrate.connect(_watch, sender=self)


def _watch(using: str, **_more: Any) -> None:
    from archive.triggers import react
    from exhibit.reactions import REACTIONS

    react(REACTIONS, using=using)
