"""One organization or one slow mail server does not delay the others, in real processes."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

from tests.support.databases import on_postgres
from tests.support.factories import Key, make_api_key, make_organization
from tests.support.locking import locked_organization
from tests.support.mail import SmtpServer
from tests.support.server import ServerProcess

Start = Callable[..., ServerProcess]
# Seconds within which all other requests are answered, on a busy machine.
SOON = 5.0


@pytest.fixture
def keys(app: Flask) -> tuple[Key, Key]:
    """Create keys of two unrelated organizations."""
    with app.app_context():
        return make_api_key(make_organization("Acme")), make_api_key(make_organization("Globex"))


def post(server: ServerProcess, key: Key, path: str, body: Any, *, seconds: float = 100) -> int:
    """Return the status of the response, or 0 when there is none in time."""
    request = urllib.request.Request(
        f"{server.url}/api/v1/organization/{key.actor.organization_id}/{path}",
        json.dumps(body).encode(),
        {**key.headers, "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def read(server: ServerProcess, key: Key) -> int:
    request = urllib.request.Request(
        f"{server.url}/v1/organizations/{key.actor.organization_id}", headers=key.headers
    )
    with urllib.request.urlopen(request, timeout=100) as answer:
        return int(answer.status)


def invite(server: ServerProcess, key: Key, name: str) -> int:
    person = {"given_name": "Ana", "family_name": "Guest", "role": "member"}
    return post(server, key, "invitation", {"email": f"{name}@guest.example", **person})


@contextmanager
def crowd(number: int, action: Callable[[int], Any]) -> Iterator[list[Any]]:
    """Send requests in the background; collect their results at the end."""
    results: list[Any] = []
    with ThreadPoolExecutor(number) as pool:
        futures = [pool.submit(action, one) for one in range(number)]
        time.sleep(0.5)
        yield results
        results += [future.result() for future in futures]


def longest_wait(action: Callable[[int], int], *, tries: int = 5) -> float:
    """Return the duration of the slowest request. All must succeed."""
    waits = []
    for number in range(tries):
        began = time.monotonic()
        assert action(number) in {200, 201}
        waits.append(time.monotonic() - began)
    return max(waits)


@on_postgres
def test_locked_organization_delays_no_other(start_process: Start, keys: tuple[Key, Key], database_url: str) -> None:
    server = start_process("gunicorn")
    with (
        locked_organization(database_url, keys[0].actor.organization_id),
        crowd(24, lambda number: invite(server, keys[0], f"ana{number}")) as outcomes,
    ):
        assert longest_wait(lambda number: invite(server, keys[1], f"bo{number}")) < SOON
    assert set(outcomes) == {503}


def test_long_lists_of_one_organization_delay_no_other(start_process: Start, keys: tuple[Key, Key]) -> None:
    server = start_process("gunicorn")
    people = [{"email": f"ana{number}@guest.example", "role": "member"} for number in range(10_000)]
    lists = [people[number:] + people[:number] for number in range(16)]
    with crowd(16, lambda number: post(server, keys[0], "invitations/bulk", {"invitations": lists[number]})) as done:
        assert longest_wait(lambda number: invite(server, keys[1], f"bo{number}")) < 2 * SOON
    assert set(done) == {200, 503}


def test_hanging_mail_server_delays_no_request(start_process: Start, keys: tuple[Key, Key], smtp: SmtpServer) -> None:
    smtp.hang(30, at="connect")
    server = start_process("gunicorn", **smtp.environ)
    with crowd(48, lambda number: invite(server, keys[0], f"ana{number}")) as outcomes:
        assert longest_wait(lambda _: read(server, keys[1])) < SOON
    assert set(outcomes) == {201, 503}
    assert outcomes.count(201) >= 24
