"""The link of a worker to the database outlives its tasks."""

from __future__ import annotations

import pytest
from celery.fixups.django import DjangoWorkerFixup
from celery.signals import task_prerun

from config import worker
from config.celery import app


def test_celery_keeps_the_link_and_we_look_at_it_before_each_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert DjangoWorkerFixup(app).db_reuse_max > 10**6
    monkeypatch.setattr(task_prerun, "receivers", [])
    worker.connect()
    assert [each for _key, each in task_prerun.receivers] == [worker.keep_link]
