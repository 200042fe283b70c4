"""The wiring as a Django app, so that its checks and commands are found."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Registers the system checks of the settings."""

    name = "config"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import the checks; importing registers them."""
        from config import checks  # noqa: F401
