"""Reads the environment; a value that cannot be read stops the start with a sentence."""

import os
import re
import secrets
from collections.abc import Collection
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ImproperlyConfigured

PREFIX = "REKINDLE_"
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}

# Every name that was asked for, so that a test can compare them with docs/operate.md
# and a check can name a misspelled one.
asked: set[str] = set()


def envstr(name: str, default: str = "", *, among: Collection[str] = ()) -> str:
    """Return the variable, or `default` when it is not set or empty."""
    asked.add(name)
    value = os.environ.get(name, "").strip() or default
    if among and value not in among:
        raise ImproperlyConfigured(f"{name} is {value!r}; choose one of {', '.join(among)}.")
    return value


def envbool(name: str, *, default: bool = False) -> bool:
    """Return yes or no."""
    value = envstr(name, "yes" if default else "no").lower()
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} is {value!r}; write yes or no.")
    return value in TRUE


def envint(name: str, default: int, *, least: int = 0) -> int:
    """Return a whole number of at least `least`."""
    value = envstr(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; write a whole number.") from None
    if number < least:
        raise ImproperlyConfigured(f"{name} is {number}; the least it can be is {least}.")
    return number


def envlist(name: str, default: str = "", *, among: Collection[str] = ()) -> list[str]:
    """Return the words between the commas."""
    words = [word.strip() for word in envstr(name, default).split(",") if word.strip()]
    for word in words:
        if among and word not in among:
            raise ImproperlyConfigured(f"{name} has {word!r}; it knows {', '.join(among)}.")
    return words


def envpath(name: str, default: Path) -> Path:
    """Return an absolute path."""
    return Path(envstr(name, str(default))).expanduser().absolute()


def envfolder(name: str, default: Path) -> Path:
    """Return an absolute path of a folder that is made if need be, and that takes files."""
    path, why = envpath(name, default), "it cannot be written by this user"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = f"it cannot be made ({error.strerror})"
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"{name} is {str(path)!r}, and {why}; name another folder.")
    return path


def envzone(name: str, default: str) -> str:
    """Return the name of a time zone; one who writes a town alone is told what it is called."""
    value = envstr(name, default)
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):
        meant = sorted(each for each in available_timezones() if each.endswith(f"/{value}"))
        such = meant[0] if meant else "Asia/Shanghai or UTC"
        raise ImproperlyConfigured(
            f"{name} is {value!r}, which is no time zone; write it as {such}."
        ) from None
    return value


# Rather too much than too little: what a mail server of a house takes is its own affair.
_MAILBOX = re.compile(r"[^\s@<>,;:\"]+@\w([\w-]*\w)?(\.\w([\w-]*\w)?)*")


def envmail(name: str, default: str, *, named: bool = False) -> str:
    """Return the address of a mailbox; `named`: a name may stand before it."""
    value = envstr(name)
    if value and not _MAILBOX.fullmatch(parseaddr(value)[1] if named else value):
        raise ImproperlyConfigured(f"{name} is {value!r}; write it as photos@example.org.")
    return value or default


def envsecret(name: str, default: str = "") -> str:
    """Return the variable, or the content of the file that NAME_FILE names."""
    asked.add(f"{name}_FILE")
    file = os.environ.get(f"{name}_FILE", "").strip()
    if not file:
        return envstr(name, default)
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error}.") from None


def address(name: str, url: str) -> SplitResult:
    """Return the parts of an address with a password in it, which is never shown.

    A sign that means something in an address and stands in the password as it is breaks the
    address somewhere else: in its port, its path or what follows.
    """
    try:
        parts = urlsplit(url)
        is_cut = "@" in f"{parts.path}{parts.query}" and "@" not in (parts.netloc or "@")
        is_whole = parts.port != 0 and not is_cut and "#" not in url
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ImproperlyConfigured(
            f"{name} cannot be read as an address. If its password has one of # / ? @ : [ ] in it,"
            " percent-encode them: %23 %2F %3F %40 %3A %5B %5D."
        )
    return parts


def web_address(name: str, url: str, example: str) -> str:
    """Return an address that browsers and libraries of ours go to; nothing when there is none."""
    try:
        parts = urlsplit(url)
        is_whole = url.startswith(("http://", "https://")) and parts.hostname and parts.port != 0
    except ValueError:
        is_whole = False
    if url and not is_whole:
        raise ImproperlyConfigured(f"{name} is {url!r}; write it as {example}.")
    return url


def cache_server(name: str, url: str) -> str:
    """Return the address of a Redis; the library takes one without a host for this machine."""
    parts = address(name, url)
    at_host = url.startswith(("redis://", "rediss://")) and parts.hostname
    if url and not at_host and not (url.startswith("unix://") and parts.path):
        raise ImproperlyConfigured(
            f"{name} must be redis://HOST:PORT/0, rediss://… or unix:///SOCKET."
        )
    return url


# Each with the port that its servers listen at.
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


def mail_server(name: str, url: str) -> tuple[SplitResult, int]:
    """Return the parts of a mail server's address, and its port.

    A word that is not known never stands for one without TLS: the password would go in the clear.
    """
    parts = address(name, url)
    if url.startswith("console://"):
        return parts, 0
    if parts.scheme not in MAIL_PORTS or not parts.hostname:
        raise ImproperlyConfigured(
            f"{name} must be smtp+tls://, smtps:// or smtp:// with USER:PASSWORD@HOST:PORT,"
            " or console://."
        )
    return parts, parts.port or MAIL_PORTS[parts.scheme]


def kept_secret(path: Path) -> str:
    """Return the secret kept in `path`, making it at the first start.

    The hard link decides between two processes that start together.
    """
    if not path.exists():
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        beside.touch(mode=0o600)
        beside.write_text(secrets.token_urlsafe(48), encoding="ascii")
        try:
            path.hardlink_to(beside)
        except FileExistsError:
            pass
        finally:
            beside.unlink()
    return path.read_text(encoding="ascii").strip()


SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    # WAL lets readers read while one writes; IMMEDIATE takes the lock at once, because a lock that
    # is upgraded half-way fails without waiting.
    "OPTIONS": {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    },
}


# A machine that freezes or vanishes says no goodbye. What it had locked in the middle of a
# transaction is free again within a minute, and who waits for a server that is gone hears of it.
_GOODBYE = {
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
POSTGRES_LINK = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "options": " ".join(f"-c {name}={value}" for name, value in _GOODBYE.items()),
}


def database(name: str, url: str) -> dict[str, Any]:
    """Return Django's settings of the database at `url` (sqlite:///path or postgres://...).

    What the address says of the link, as `?options=`, comes before what we would say.
    """
    parts = address(name, url)
    # Without its slashes, or with too few, an address would name another file or database.
    path = unquote(parts.path[1:]) if "://" in url else ""
    if parts.scheme == "sqlite" and path and not parts.netloc:
        return SQLITE | {"NAME": path}
    if parts.scheme not in {"postgres", "postgresql"} or not path:
        raise ImproperlyConfigured(
            f"{name} must be sqlite:///FILE or postgres://USER:PASSWORD@HOST:PORT/NAME."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": path,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": POSTGRES_LINK | dict(parse_qsl(parts.query, keep_blank_values=True)),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }


def s3_origins(endpoint: str, region: str, bucket: str) -> list[str]:
    """Return the origins of presigned addresses; `bucket` where it is part of the host name."""
    before = f"{bucket}." if bucket else ""
    if endpoint:
        parts = urlsplit(endpoint)
        return [f"{parts.scheme}://{before}{parts.netloc}"]
    return [f"https://{before}s3.amazonaws.com", f"https://{before}s3.{region}.amazonaws.com"]
