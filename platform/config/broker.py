"""The embedded broker: kombu's filesystem transport, made atomic.

kombu opens a message file and then writes it, so that a reader can see it empty and the worker dies
of it; and its names are not in order across digits or reboots. Here a message is written beside and
renamed, names sort by time, and a file that is no message is set aside.
"""

import json
import logging
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

from kombu import transport
from kombu.transport import filesystem
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

ALIAS = "fsatomic"
POLL_SECONDS = 0.1


def register() -> None:
    """Make `fsatomic://` a broker address that kombu knows."""
    transport.TRANSPORT_ALIASES[ALIAS] = "config.broker:Transport"


def folder_options(folder: Path) -> dict[str, Any]:
    """Make the broker's folders under `folder` and return the transport options that name them."""
    queue, control = folder / "queue", folder / "control"
    for each in (queue, control):
        each.mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(queue),
        "data_folder_out": str(queue),
        "control_folder": str(control),
        "polling_interval": POLL_SECONDS,
    }


class Channel(filesystem.Channel):  # type: ignore[misc]
    """A channel whose messages appear whole, leave in order and cannot kill their reader."""

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:
        """Write the message beside its place and rename it there."""
        name = f"{time.time_ns():020d}_{uuid.uuid4().hex}.{queue}.msg"
        final = Path(self.data_folder_out) / name
        beside = final.with_suffix(".tmp")  # no queue's suffix, so that nobody reads it
        beside.write_bytes(str_to_bytes(dumps(payload)))
        beside.rename(final)

    def _get(self, queue: str) -> dict[str, Any]:
        """Take the oldest message of `queue`, or raise Empty."""
        for found in self._waiting(queue):
            taken = found.with_suffix(f".taken-{os.getpid()}")
            try:
                found.rename(taken)  # the rename is the lock: one reader wins
            except FileNotFoundError:
                continue
            message = self._read(taken)
            if message is not None:
                return message
        raise Empty

    def _read(self, taken: Path) -> dict[str, Any] | None:
        """Return the message and remove its file; set a file that is no message aside."""
        try:
            message = loads(bytes_to_str(taken.read_bytes()))
            if not isinstance(message, dict) or "properties" not in message:
                raise ValueError("not a message")  # noqa: TRY301
        except ValueError as error:
            aside = taken.with_suffix(".corrupt")
            taken.rename(aside)
            logger.warning("set aside %s, which is no message: %s", aside.name, error)
            return None
        taken.unlink()
        return message

    def _waiting(self, queue: str) -> Iterator[Path]:
        """Yield the message files of `queue`, oldest first."""
        suffix = f".{queue}.msg"
        names = sorted(n for n in os.listdir(self.data_folder_in) if n.endswith(suffix))
        return (Path(self.data_folder_in) / name for name in names)
