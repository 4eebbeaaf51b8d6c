"""Threads write to SQLite in the order of their requests."""

import threading
import time

import pytest
from sqlalchemy.exc import TimeoutError as TooLate

from invite_app.db.fair_lock import FairLock


def test_waiters_are_served_in_order() -> None:
    """A thread that returns at once queues behind those that wait."""
    lock, order = FairLock(), list[str]()

    def write(name: str) -> None:
        with lock.held(10):
            order.append(name)

    def write_chunks() -> None:
        for _ in range(3):
            with lock.held(10):
                order.append("list")
                time.sleep(0.1)

    chunks = threading.Thread(target=write_chunks)
    chunks.start()
    time.sleep(0.05)
    others = [threading.Thread(target=write, args=(name,)) for name in ("first", "second")]
    for other in others:
        other.start()
        time.sleep(0.01)
    for thread in (chunks, *others):
        thread.join()
    assert order == ["list", "first", "second", "list", "list"]


def test_timed_out_waiter_raises_and_leaves_the_queue() -> None:
    lock = FairLock()
    with lock.held(1), pytest.raises(TooLate), lock.held(0.05):
        pass
    with lock.held(0.05):
        pass
