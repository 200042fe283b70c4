"""Application configuration of the people, and of the administration that stewards enter."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin  # imported by name it would be a second default
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People")
    default_auto_field = "django.db.models.BigAutoField"
    default = True


class StewardAdminConfig(admin.AdminConfig):
    """Django's administration, opened by the mark of a steward and by nothing else."""

    default = False
    default_site = "accounts.admin_site.StewardSite"
