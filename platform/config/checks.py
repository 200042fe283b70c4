"""System checks: settings that read well but will not work, each with what to do about it."""

import difflib
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from archive import cell
from config import env, telemetry

FOR_TESTS = "REKINDLE_TEST_"
# Read by the tests, not by the settings.
ELSEWHERE = {
    "REKINDLE_REQUIRE_SERVICES",
    "REKINDLE_PHOTOS",
    "REKINDLE_CHROMIUM",
}


@register()
def every_variable_is_known(**kwargs: Any) -> list[CheckMessage]:
    """Warn of a REKINDLE_ variable that nothing reads: it is most likely misspelled."""
    known = env.asked | ELSEWHERE
    ours = {n for n in os.environ if n.startswith(env.PREFIX) and not n.startswith(FOR_TESTS)}
    return [
        Warning(
            f"{name} is set, but no setting has this name.",
            hint=f"Did you mean {near[0]}?" if near else "docs/operate.md lists the names.",
            id="config.W001",
        )
        for name in sorted(ours - known)
        for near in [difflib.get_close_matches(name, known, n=1)]
    ]


@register()
def a_bucket_has_a_name(**kwargs: Any) -> list[CheckMessage]:
    """Warn of a service without a bucket: right while bytes move there, else half a setting."""
    if settings.S3_ENDPOINT and not (settings.S3_BUCKET or settings.INGEST_BUCKETS):
        hint = "Set REKINDLE_S3_BUCKET, unless `manage.py move_storage` is bringing bytes there."
        said = "REKINDLE_S3_ENDPOINT is set without a bucket: bytes are kept in a folder."
        return [Warning(said, hint=hint, id="config.W004")]
    return []


@register()
def the_embedded_broker_stays_on_one_machine(**kwargs: Any) -> list[CheckMessage]:
    """Warn when bytes are shared among machines but the queue is a folder of one."""
    if settings.S3_BUCKET and urlsplit(settings.CELERY_BROKER_URL).scheme == "fsatomic":
        hint = "Set REKINDLE_BROKER_URL to redis:// or amqp:// if workers run on other machines."
        return [
            Warning("Bytes are in a bucket, the queue is a folder.", hint=hint, id="config.W002")
        ]
    return []


@register()
def traces_can_be_kept(**kwargs: Any) -> list[CheckMessage]:
    """Warn of an address for traces where nothing is installed that could send them."""
    lacking = telemetry.lacking() if telemetry.is_wanted() else []
    if not lacking:
        return []
    told = f"Traces are wanted at {settings.OTEL_ENDPOINT}, but {lacking[0]} is not installed."
    hint = "Install it with pip install 'rekindle[otel]'; until then the site keeps no traces."
    return [Warning(told, hint=hint, id="config.W006")]


@register(Tags.security, deploy=True)
def strangers_come_by_https(**kwargs: Any) -> list[CheckMessage]:
    """Warn before a deployment whose sign-in travels in the clear."""
    if settings.HTTPS:
        return []
    hint = "Set REKINDLE_SITE_URL to the https:// address that visitors use."
    return [Warning("The site's address is not https.", hint=hint, id="config.W003")]


@register(Tags.security, deploy=True)
def https_is_heard_of(**kwargs: Any) -> list[CheckMessage]:
    """Warn of an https address where nobody is believed who says that a visitor came by it.

    The site's own server speaks plain http: it would send every visitor to https, and that one
    too, without end.
    """
    if not settings.HTTPS or settings.PROXIES:
        return []
    told = "The address is https, but no proxy is believed: browsers are redirected without end."
    hint = (
        "Set REKINDLE_PROXIES to how many proxies of yours stand before the site, most likely 1,"
        " and let the one that ends https set X-Forwarded-Proto."
    )
    return [Warning(told, hint=hint, id="config.W009")]


@register(deploy=True)
def a_plea_reaches_somebody(**kwargs: Any) -> list[CheckMessage]:
    """Warn where visitors are told to write to a mailbox that most likely nobody made."""
    if env.envstr("REKINDLE_CONTACT_MAIL"):
        return []
    told = f"Visitors who want a picture taken down are told to write to {settings.CONTACT_MAIL}."
    hint = "Set REKINDLE_CONTACT_MAIL to an address that somebody reads."
    return [Warning(told, hint=hint, id="config.W008")]


@register(Tags.security, deploy=True)
def strangers_files_are_read_in_a_cell(**kwargs: Any) -> list[CheckMessage]:
    """Warn where the kernel lacks a lock of the process that opens uploaded files."""
    lacking = cell.missing()
    if not lacking:
        return []
    hint = "Use Linux 5.13 or newer with Landlock, and containers that allow its system calls."
    told = f"Uploaded files would be read here without {' and '.join(lacking)}."
    return [Warning(told, hint=hint, id="config.W005")]


@register(Tags.staticfiles, deploy=True)
def static_files_are_collected(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to serve without the manifest: every page would fail."""
    if settings.DEBUG or (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file():
        return []
    hint = "Run manage.py collectstatic --noinput."
    return [Error("The static files are not collected.", hint=hint, id="config.E002")]
