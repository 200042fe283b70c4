"""The wiring as a Django app, so that its checks and commands are found."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Registers the system checks of the settings."""

    name = "config"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import the checks, which registers them, and begin to trace where that is wanted.

        Before a middleware is loaded or a worker forks: both are told of it here.
        """
        from config import checks, parts, telemetry  # noqa: F401

        telemetry.start()
