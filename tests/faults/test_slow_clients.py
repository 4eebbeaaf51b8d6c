"""Slow clients and busy threads: others are served, and probes respond."""

import http.client
import os
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import text

from invite_app.db import is_postgresql
from invite_app.extensions import db
from invite_app.web.hosts import PROBES
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, make_api_key, make_organization
from tests.support.server import ServerProcess

Start = Callable[..., ServerProcess]

SLOW_CLIENTS = 40
SECONDS = 2.0
FORM = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
HALVES = {
    "nothing": b"",
    "half a header": b"GET /sign-in HTTP/1.1\r\nHost: local",
    "half a body": FORM + b"Content-Length: 1000\r\n\r\nemail=",
    "half a chunk": FORM + b"Transfer-Encoding: chunked\r\n\r\n100\r\nemail=",
}


@contextmanager
def slow_clients(server: ServerProcess, half: bytes) -> Iterator[None]:
    place = urlsplit(server.url)
    with ExitStack() as connections:
        for _ in range(SLOW_CLIENTS):
            connection = connections.enter_context(socket.create_connection((str(place.hostname), place.port)))
            connection.sendall(half)
        yield


def get(server: ServerProcess, path: str, *, seconds: float = SECONDS) -> int:
    """Return the status of a response that arrives in time. Raises TimeoutError otherwise."""
    with urllib.request.urlopen(server.url + path, timeout=seconds) as answer:
        answer.read()
        return int(answer.status)


@on_sqlite
class TestSlowClients:
    @pytest.mark.parametrize("half", HALVES)
    def test_hold_no_thread(self, start_process: Start, half: str) -> None:
        server = start_process("gunicorn", "--threads", "8", workers=1)
        with slow_clients(server, HALVES[half]):
            assert [get(server, path) for path in ("/sign-in", *PROBES, "/sign-in")] == [200] * 5

    def test_do_not_delay_a_stop(self, start_process: Start) -> None:
        server = start_process("gunicorn", workers=1)
        with slow_clients(server, HALVES["half a body"]):
            assert server.stop(seconds=15) == 0

    def test_are_disconnected(self, start_process: Start) -> None:
        server = start_process("gunicorn", "--keep-alive", "1", workers=1)
        place = urlsplit(server.url)
        with socket.create_connection((str(place.hostname), place.port), timeout=20) as connection:
            connection.sendall(HALVES["half a header"])
            assert connection.recv(100) == b""


@contextmanager
def locked_organizations(app: Flask) -> Iterator[None]:
    """Lock all organizations: their rows on PostgreSQL, the database on SQLite."""
    with app.app_context(), db.engine.connect().execution_options(begin_immediate=True) as connection:
        connection.execute(text("SELECT id FROM organizations" + (" FOR UPDATE" if is_postgresql() else "")))
        yield
        connection.rollback()


def invite(server: ServerProcess, acme: Acme, headers: dict[str, str], statuses: list[int], **options: bool) -> None:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    body = b'{"given_name": "Ana", "family_name": "Guest", "email": "ana@guest.example", "role": "member"}'
    parts = [body[:20], body[20:]] if options.get("encode_chunked") else body
    headers = {**headers, "Content-Type": "application/json"}
    connection.request("POST", f"/api/v1/organization/{acme.id}/invitation", parts, headers, **options)
    statuses.append(connection.getresponse().status)
    connection.close()


class TestBusyThreads:
    """Each thread serves an invitation into an organization whose row is locked."""

    @pytest.fixture
    def inviting(self, app: Flask) -> Callable[[ServerProcess, list[int]], list[threading.Thread]]:
        with app.app_context():
            crowd = [make_organization(name) for name in ("Acme", "Globex")]
            keys = [make_api_key(acme, "admin") for acme in crowd]

        def start(server: ServerProcess, statuses: list[int]) -> list[threading.Thread]:
            threads = [
                threading.Thread(target=invite, args=(server, acme, key.headers, statuses))
                for acme, key in zip(crowd, keys, strict=True)
            ]
            for thread in threads:
                thread.start()
            wait_until_busy(server)
            return threads

        return start

    def test_probes_answer(self, app: Flask, start_process: Start, inviting: Callable[..., Any]) -> None:
        server = start_process("gunicorn", "--threads", "2", workers=1)
        statuses: list[int] = []
        with locked_organizations(app):
            threads = inviting(server, statuses)
            for path in PROBES:
                assert get(server, path) == 200, path
            assert statuses == []
        for thread in threads:
            thread.join()
        assert len(statuses) == 2
        assert get(server, "/sign-in", seconds=20) == 200

    def test_stop_answers_waiting_requests(
        self, app: Flask, start_process: Start, inviting: Callable[..., Any]
    ) -> None:
        server = start_process("gunicorn", "--threads", "1", workers=1)
        statuses: list[int] = []
        with locked_organizations(app):
            threads = inviting(server, statuses)
            os.kill(server.pid, signal.SIGTERM)
            time.sleep(1)
            assert statuses == []
        for thread in threads:
            thread.join()
        assert server.wait() == 0
        assert statuses == [201, 201]


def wait_until_busy(server: ServerProcess) -> None:
    for _ in range(20):
        try:
            get(server, "/sign-in", seconds=0.5)
        except TimeoutError:
            return
        time.sleep(0.1)
    raise AssertionError


@on_sqlite
class TestBodies:
    def test_chunked_body_arrives_whole(self, app: Flask, start_process: Start) -> None:
        with app.app_context():
            acme = make_organization()
            key = make_api_key(acme, "admin")
        statuses: list[int] = []
        invite(start_process("gunicorn", workers=1), acme, key.headers, statuses, encode_chunked=True)
        assert statuses == [201]

    def test_oversized_body_is_refused_unread(self, start_process: Start) -> None:
        place = urlsplit(start_process("gunicorn", workers=1).url)
        with socket.create_connection((str(place.hostname), place.port), timeout=10) as connection:
            connection.sendall(FORM + b"Content-Length: 1000000000\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
