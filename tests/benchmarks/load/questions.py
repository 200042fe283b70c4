"""How many questions each page asks of the database, whatever the size of the museum."""

from __future__ import annotations

from django.conf import settings
from django.core.cache import caches
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from exhibit.models import KeptPage
from tests.benchmarks.load.world import Museum
from tests.services import databases


def of_pages(url: str, museum: Museum) -> dict[str, int]:
    """By the name of a page; those of strangers as nobody has kept them, and kept."""
    room = f"/exhibits/{museum.exhibit}/"
    photo = f"{room}{museum.pictures[0]}/"
    public = {"home": "/", "exhibit": room, "photo": photo, "zoom": f"{photo}zoom/"}
    closed = {"wall": "/wall/", "my work": "/people/me/"}
    member = Client(headers={"cookie": f"sessionid={museum.sessions[0]}"})
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    storages = {**settings.STORAGES, "staticfiles": plain}
    with databases.rows_in(url), override_settings(ALLOWED_HOSTS=["*"], STORAGES=storages):
        found = {}
        for name, path in public.items():
            KeptPage.objects.all().delete()
            caches["pages"].clear()
            found[f"stranger's {name}"] = _asked(Client(), path)
            caches["pages"].clear()
            found[f"stranger's {name}, kept"] = _asked(Client(), path)
        return found | {name: _asked(member, path) for name, path in closed.items()}


def _asked(client: Client, path: str) -> int:
    """Questions that read: keeping a page is done after it was made."""
    with CaptureQueriesContext(connections["default"]) as queries:
        answer = client.get(path)
    assert answer.status_code == 200, f"{path} answered {answer.status_code}"
    return sum(query["sql"].lstrip().startswith("SELECT") for query in queries)
