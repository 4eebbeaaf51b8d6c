"""Simultaneous requests to gunicorn with several worker processes on one database."""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from invite_app.db import session
from invite_app.models import Organization
from tests.support.factories import Acme, Key, configure, make_api_key
from tests.support.mail import SmtpServer
from tests.support.server import ServerProcess

MANY = 12


@pytest.fixture
def key(app: Flask, acme: Acme) -> Key:
    with app.app_context():
        return make_api_key(acme, "admin")


@pytest.fixture
def server(start_process: Callable[..., ServerProcess], smtp: SmtpServer) -> ServerProcess:
    return start_process("gunicorn", "--threads", "4", workers=3, **smtp.environ)


def invite_at_once(server: ServerProcess, acme: Acme, key: Key, addresses: list[str]) -> Counter[int]:
    """Return the statuses of requests that arrive together."""
    start = threading.Barrier(len(addresses))

    def post(address: str) -> int:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
        connection.connect()
        body = {"given_name": "Ana", "family_name": "Guest", "email": address, "role": "member"}
        headers = {**key.headers, "Content-Type": "application/json"}
        start.wait(10)
        connection.request("POST", f"/api/v1/organization/{acme.id}/invitation", json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    with ThreadPoolExecutor(len(addresses)) as pool:
        return Counter(pool.map(post, addresses))


def pending_count(app: Flask, acme: Acme) -> Any:
    with app.app_context():
        return session().get_one(Organization, acme.id).pending_count


def test_twelve_identical_invitations_send_one_mail(
    app: Flask, acme: Acme, key: Key, server: ServerProcess, smtp: SmtpServer
) -> None:
    assert invite_at_once(server, acme, key, ["ana@guest.example"] * MANY) == {201: 1, 409: 11}
    assert len(smtp.to("ana@guest.example")) == 1
    assert pending_count(app, acme) == 1


def test_twelve_different_invitations_fill_the_seats_exactly(
    app: Flask, acme: Acme, key: Key, server: ServerProcess, smtp: SmtpServer
) -> None:
    with app.app_context():
        configure(acme, seat_limit=7)
    statuses = invite_at_once(server, acme, key, [f"a{number}@guest.example" for number in range(MANY)])
    assert statuses == {201: 4, 402: 8}
    assert len(smtp.messages) == 4
    assert pending_count(app, acme) == 4
