"""What a curator does with a batch, and the worker for her."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from archive import batch as worker
from archive.models import Batch


def worked(batch: Batch) -> None:
    """Let the worker do what there is to do."""
    while worker.work_for_a_while(batch_id=batch.pk):
        pass


def page(client: Client, batch: Batch) -> str:
    """The batch's page."""
    return client.get(reverse("archive:batch", args=[batch.collection.slug, batch.pk])).text


def take(client: Client, batch: Batch) -> None:
    """Press “Take these in”, and wait."""
    client.post(reverse("archive:batch-move", args=[batch.collection.slug, batch.pk, "take"]))
    worked(batch)
