"""Checks before a deployment: each part is asked once whether it answers, each folder looked at.

Only `check --deploy` asks: an image is built, and rows are migrated, where not all of it is there.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.checks import CheckMessage, Error, Warning, register

from config import health

TAG = "parts"
# What each part is called in a sentence, and the setting by which it is found.
NAMED = {
    "database": ("database", "REKINDLE_DATABASE_URL"),
    "broker": ("queue", "REKINDLE_BROKER_URL"),
    "cache": ("cache", "REKINDLE_CACHE_URL"),
    "storage": ("storage", "REKINDLE_S3_BUCKET and _ENDPOINT, or REKINDLE_BYTES_DIR"),
}
PRINTED = "django.core.mail.backends.console.EmailBackend"


@register(TAG, deploy=True)
def every_part_answers(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a deployment whose database, queue, cache or storage does not answer."""
    elsewhere = health.ELSEWHERE | {"cache": partial(cache.get, "health")}
    asked = {name: health.submit(ask) for name, ask in elsewhere.items()}
    said = {"database": _why(health.HERE["database"])}
    wait(asked.values(), timeout=health.PATIENCE)
    said |= {name: _why(partial(_result, answer)) for name, answer in asked.items()}
    return [_silent(name, why) for name, why in said.items() if why]


def _result(answer: Future[object]) -> object:
    return answer.result(timeout=0)


def _why(ask: Callable[[], object]) -> str:
    """Why a part does not answer, in its own words and on one line; nothing when it does."""
    try:
        ask()
    except TimeoutError:
        return f"nothing came within {health.PATIENCE} seconds"
    except Exception as error:  # noqa: BLE001 - whatever it is, the operator reads it
        return " ".join(str(error).split()) or type(error).__name__
    return ""


def _silent(name: str, why: str) -> CheckMessage:
    called, setting = NAMED[name]
    hint = f"Start it, or put {setting} right."
    return Error(f"The {called} does not answer: {why}", hint=hint, id="config.E003")


@register(TAG, deploy=True)
def every_folder_is_there(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a deployment that cannot write where it must, or read what curators take in."""
    return [
        Error(f"{name} is {str(path)!r}, and {why}.", hint=hint, id="config.E004")
        for name, path, why, hint in _wrong_folders()
    ]


def _wrong_folders() -> Iterator[tuple[str, Path, str, str]]:
    mine = "Make it, and give it to the user that runs this."
    written = {"REKINDLE_VAR_DIR": settings.VAR_DIR}
    if not settings.S3_BUCKET:
        location = settings.STORAGES["default"].get("OPTIONS", {}).get("location")
        written |= {"REKINDLE_BYTES_DIR": Path(location)} if location else {}
    for name, path in written.items():
        why = _unwritable(path)
        if why:
            yield name, path, f"nothing can be written there ({why})", mine
    folder = settings.INGEST_DIR
    if folder and not (folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)):
        hint = "Put it there, on the workers' machines too, or unset it."
        yield "REKINDLE_INGEST_DIR", folder, "there is no such folder that can be read", hint


def _unwritable(path: Path) -> str:
    """Why no file can be put there. A folder that is not there yet is made by its first file."""
    nearest = next(each for each in (path, *path.parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            return ""
    except OSError as error:
        return error.strerror or str(error)


@register(TAG, deploy=True)
def mails_are_sent(**kwargs: Any) -> list[CheckMessage]:
    """Warn where the link by which somebody gets a new password is printed into a log."""
    if settings.EMAIL_BACKEND != PRINTED:
        return []
    told = "Mails are printed, not sent: nobody gets a new password, and the log shows the links."
    hint = "Set REKINDLE_MAIL_URL to the address of a mail server."
    return [Warning(told, hint=hint, id="config.W007")]
