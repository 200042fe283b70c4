"""The embedded broker: whole messages, in order, each to one reader, and none that kills."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection

from config import broker

MESSAGES = 300


@pytest.fixture
def link(tmp_path: Path) -> Iterator[Connection]:
    with connect(tmp_path) as connection:
        yield connection


def connect(folder: Path) -> Connection:
    broker.register()
    return Connection("fsatomic://localhost", transport_options=broker.folder_options(folder))


def take_all(folder: Path, into: list[Any]) -> None:
    with connect(folder) as connection:
        queue = connection.SimpleQueue("bell")
        while True:
            try:
                message = queue.get(block=False)
            except Empty:
                return
            into.append(message.payload)
            message.ack()


def test_messages_leave_in_the_order_they_came(link: Connection, tmp_path: Path) -> None:
    queue, taken = link.SimpleQueue("bell"), []
    for number in range(MESSAGES):
        queue.put(number)
    take_all(tmp_path, taken)
    assert taken == list(range(MESSAGES))


def test_two_readers_share_the_messages_and_lose_none(link: Connection, tmp_path: Path) -> None:
    queue, taken = link.SimpleQueue("bell"), []
    for number in range(MESSAGES):
        queue.put(number)
    readers = [threading.Thread(target=take_all, args=(tmp_path, taken)) for _ in range(3)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert sorted(taken) == list(range(MESSAGES))


@pytest.mark.parametrize("rubbish", ["", "{", "[]", "{}", '{"properties": {}}'])
def test_a_file_that_is_no_message_is_set_aside(
    link: Connection, tmp_path: Path, rubbish: str
) -> None:
    queue = link.SimpleQueue("bell")
    (tmp_path / "queue" / "0000.bell.msg").write_text(rubbish)
    queue.put("after it")
    assert queue.get(timeout=2).payload == "after it"
    assert (tmp_path / "queue" / "0000.bell.corrupt").read_text() == rubbish


def test_a_queue_is_not_mistaken_for_one_whose_name_ends_alike(
    link: Connection, tmp_path: Path
) -> None:
    link.SimpleQueue("door.bell").put("for another")
    link.SimpleQueue("bell").put("for us")
    taken: list[Any] = []
    take_all(tmp_path, taken)
    assert taken == ["for us"]


def test_what_dead_processes_left_is_swept_in_time(link: Connection, tmp_path: Path) -> None:
    folder = tmp_path / "queue"
    for name in ("1.bell.msg", "2.bell.taken", "3.tmp", "cpu@host.celery.pidbox.msg", "4.corrupt"):
        (folder / name).touch()
    assert broker.sweep(folder, now=time.time()) == 0
    assert broker.sweep(folder, now=time.time() + 3600) == 3
    assert sorted(each.name for each in folder.iterdir()) == ["1.bell.msg", "4.corrupt"]
