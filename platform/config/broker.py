"""The embedded broker: kombu's filesystem transport, made atomic.

kombu opens a file and then writes it, so that a reader can see it empty and the worker dies of it;
and its names are out of order across digits and reboots. Here every file is written beside its
place and renamed, names sort by time, and a file that is no message is set aside.
"""

import fcntl
import logging
import os
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any, ClassVar

from kombu import Exchange, Queue, transport
from kombu.transport import filesystem, virtual
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

ALIAS = "fsatomic"
POLL_SECONDS = 0.1
MINUTE, HOUR, WEEK = 60, 3600, 7 * 24 * 3600
# What may lie in the queue folder, and how long: an unfinished write, a message whose reader was
# killed (the job's row rings again), a question to a worker that is gone, a file that is none.
LEFTOVERS = {
    "*.tmp": MINUTE,
    "*.taken": MINUTE,
    "*.pidbox.msg": MINUTE,
    "*.at.*.msg": MINUTE,  # a bell for one worker alone
    "*.corrupt": WEEK,
}

CPU, BATCH, GENERATIVE = "cpu", "batch", "generative"
# What a worker of each kind also listens to: reading and hashing files wait behind people's runs.
BESIDES = {CPU: (BATCH,), GENERATIVE: ()}
# A quorum queue counts how often a message came back; the row rings anew for one that is dropped.
MOST_DELIVERIES = 5
# RabbitMQ closes a channel whose message is not acknowledged in so long. Read from the queue by
# RabbitMQ 3.12 and newer; before, the operator sets consumer_timeout.
LONGEST_JOB = 24 * HOUR

Table = list[filesystem.exchange_queue_t]


def register() -> None:
    """Make `fsatomic://` a broker address that kombu knows."""
    transport.TRANSPORT_ALIASES[ALIAS] = "config.broker:Transport"


def transport_options(scheme: str, folder: Path) -> dict[str, Any] | None:
    """Return what the broker of this scheme must be told, or None when we do not know it.

    `folder` is where the embedded one keeps its messages.
    """
    if scheme == ALIAS:
        return folder_options(folder)
    if scheme in {"redis", "rediss"}:
        return {
            # Redis gives a message again that nobody acknowledged for so long; longer than any job.
            "visibility_timeout": LONGEST_JOB,
            # In the order a worker names its queues: people's runs before work in the background.
            "queue_order_strategy": "priority",
            # A link that died unseen would leave a worker deaf.
            "socket_keepalive": True,
            "health_check_interval": 30,
            "socket_connect_timeout": 10,
        }
    if scheme in {"amqp", "amqps"}:
        return {"confirm_publish": True}
    return None


def queues(scheme: str, exchange: str, families: Iterable[str]) -> list[Queue]:
    """Every queue of a site: one a kind of work, and one a family of generative models.

    With RabbitMQ they are quorum queues: kept by several nodes where there are several, and a
    message that kills its readers is dropped, not given for ever.
    """
    names = [CPU, BATCH, GENERATIVE, *(f"{GENERATIVE}.{family}" for family in sorted(families))]
    arguments = (
        {
            "x-queue-type": "quorum",
            "x-delivery-limit": MOST_DELIVERIES,
            "x-consumer-timeout": 1000 * LONGEST_JOB,
        }
        if scheme in {"amqp", "amqps"}
        else None
    )
    hall = Exchange(exchange)
    return [Queue(name, hall, routing_key=name, queue_arguments=arguments) for name in names]


def own_queue(name: str, exchange: str) -> Queue:
    """A queue that one worker alone listens to; RabbitMQ forgets it an hour after its worker."""
    return Queue(name, Exchange(exchange), routing_key=name, expires=HOUR)


def folder_options(folder: Path) -> dict[str, Any]:
    """Return the transport options that put a broker under `folder`, and make its folders."""
    queue, control = folder / "queue", folder / "control"
    for each in (queue, control):
        each.mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(queue),
        "data_folder_out": str(queue),
        "control_folder": str(control),
        "polling_interval": POLL_SECONDS,
    }


def sweep(queue: Path, *, now: float) -> int:
    """Remove what dead processes left in the queue folder; return how many files."""
    old = [
        path
        for pattern, lasts in LEFTOVERS.items()
        for path in queue.glob(pattern)
        if _age(path, now) > lasts
    ]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


class Channel(filesystem.Channel):
    """A channel whose messages appear whole, leave in order and cannot kill their reader."""

    # The stubs of kombu name the argument in two ways at once.
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Publish the message under a name that sorts by time."""
        name = f"{time.time_ns():020d}_{uuid.uuid4().hex}.{queue}.msg"
        _write_whole(Path(self.data_folder_out) / name, payload)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        """Take the oldest message of `queue`, or raise Empty."""
        for name in self._waiting(queue):
            found = Path(self.data_folder_in, name)
            taken = found.with_suffix(".taken")
            try:
                found.rename(taken)  # the rename is the lock: one reader wins
            except FileNotFoundError:
                continue
            message = _read_message(taken)
            if message is not None:
                return message
        raise Empty

    def _waiting(self, queue: str) -> list[str]:
        """Return the names of the messages of `queue`, oldest first."""
        suffix = f"{queue}.msg"
        names = os.listdir(self.data_folder_in)  # noqa: PTH208 - read ten times a second
        return sorted(name for name in names if name.partition(".")[2] == suffix)

    def _queue_bind(
        self, exchange: str, routing_key: str | None, pattern: str | None, queue: str
    ) -> None:
        """Add a binding to the exchange's table."""
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        self._change_table(exchange, lambda rows: rows if row in rows else [row, *rows])

    def _delete(self, queue: str, exchange: str, *args: Any, **kwargs: Any) -> None:
        """Empty the queue and remove its bindings to the exchange."""
        self._purge(queue)
        self._change_table(exchange, lambda rows: [row for row in rows if row.queue != queue])

    def _change_table(self, exchange: str, change: Callable[[Table], Table]) -> None:
        """Write what `change` makes of the table, unless it makes nothing of it."""
        with _locked(self.control_folder):
            before = self.get_table(exchange)  # also refuses a name that is no file's
            after = change(before)
            if after != before:
                _write_whole(self.control_folder / f"{exchange}.exchange", after)


class Transport(filesystem.Transport):
    """kombu's filesystem transport with our channel, and what it knows kept apart by folder."""

    Channel = Channel
    known: ClassVar[defaultdict[str, virtual.BrokerState]] = defaultdict(virtual.BrokerState)

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        # kombu remembers the bindings of a process once for all folders, and would not write ours.
        self.state = self.known[client.transport_options["control_folder"]]


def _write_whole(final: Path, content: Any) -> None:
    """Write JSON beside its place and rename it there, so that nobody reads half of it."""
    beside = final.with_name(f"{final.name}.{uuid.uuid4().hex}.tmp")
    beside.write_bytes(str_to_bytes(dumps(content)))
    beside.rename(final)


def _read_message(taken: Path) -> dict[str, Any] | None:
    """Return the message and remove its file; a file that is no message is set aside."""
    try:
        message: dict[str, Any] = loads(bytes_to_str(taken.read_bytes()))
        message["properties"]["delivery_tag"], message["properties"]["delivery_info"]
    except (ValueError, KeyError, TypeError) as error:
        aside = taken.with_suffix(".corrupt")
        taken.rename(aside)
        logger.warning("Set aside %s, which is no message (%r).", aside.name, error)
        return None
    taken.unlink()
    return message


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; it falls with the process that holds it."""
    with (folder / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _age(path: Path, now: float) -> float:
    """Return the seconds since the file was written or renamed, 0 when it is gone already."""
    try:
        return now - path.stat().st_ctime
    except FileNotFoundError:
        return 0
