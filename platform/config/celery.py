"""The Celery application; its settings are the CELERY_ names of config.settings."""

import os

from celery import Celery
from celery.signals import celeryd_init

from config import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
broker.register()

app = Celery("rekindle")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
def _announce(**_: object) -> None:
    """Have a worker say that it is here; only a worker gets this far, a web process never does."""
    from config import worker

    worker.connect()
