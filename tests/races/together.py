"""Start many threads in the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, connections


def together(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run every call in a thread of its own, released in one moment; results or exceptions.

    AssertionError when one does not come to an end.
    """
    barrier = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def one(number: int, call: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=60)
            results[number] = call()
        except Exception as error:  # noqa: BLE001 - handed back to the test as a result
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    hanging = [number for number, thread in enumerate(threads) if thread.is_alive()]
    assert not hanging, f"no end of {hanging}"
    return results
