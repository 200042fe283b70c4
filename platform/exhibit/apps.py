"""Application configuration of the exhibit."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExhibitConfig(AppConfig):
    name = "exhibit"
    verbose_name = _("Exhibit")
    default_auto_field = "django.db.models.BigAutoField"
