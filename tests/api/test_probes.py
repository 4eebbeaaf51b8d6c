"""Probes respond in time, even when the database does not."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from invite_app.api import deadline
from tests.support.databases import on_sqlite

pytestmark = on_sqlite

UNAVAILABLE = {"status": "unavailable", "reason": "The database cannot be reached."}


@pytest.fixture
def silent_url() -> Iterator[str]:
    """Return the URL of a database that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"postgresql://127.0.0.1:{silent.getsockname()[1]}/any"


def test_unresponsive_database_is_reported_in_time(make_app: Callable[..., Flask], silent_url: str) -> None:
    client = make_app(INVITE_DATABASE_URL=silent_url, INVITE_SECRET_KEY="x" * 32).test_client()
    before = threading.active_count()
    for _ in range(2):
        began = time.monotonic()
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json) == (503, UNAVAILABLE)
        assert time.monotonic() - began < 2
        began = time.monotonic()
        assert "invite_database_up 0.0" in client.get("/metrics").text
        assert time.monotonic() - began < 2
    assert client.get("/healthz").status_code == 200
    assert threading.active_count() - before <= 2


def test_query_within_time_raises_its_own_error(app: Flask) -> None:
    with app.app_context(), pytest.raises(ZeroDivisionError):
        deadline.in_time(lambda: 1 / 0)


def test_query_that_timed_out_is_run_again(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "SECONDS", 0.05)
    is_back, results = threading.Event(), iter(["late", "fresh"])

    def query() -> str:
        is_back.wait(10)
        return next(results)

    with app.app_context():
        with pytest.raises(TimeoutError):
            deadline.in_time(query)
        is_back.set()
        time.sleep(0.1)
        assert deadline.in_time(query) == "fresh"
