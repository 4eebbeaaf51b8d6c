"""Throughput of one process of invite_app, compared with minimal SQLAlchemy code.

python -m tests.benchmarks requests [ROUNDS]     SQLite, 5 rounds by default

Both run under gunicorn as this project ships it, one worker each, and get requests in turns, so that other load on
the machine affects both. The result is the ratio.
"""

import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from tests.support.server import ROOT, ServerProcess, clean_environ

ROUNDS, THREADS, INVITATIONS, LISTS, ROWS = 5, 8, 400, 200, 5000


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: bytes | None = None


@dataclass(frozen=True)
class Server:
    """A running server, and its requests for the three kinds of work."""

    port: int
    headers: dict[str, str]
    invite: Callable[[str], Request]
    bulk: Callable[[list[str]], Request]
    members: Request


def main(arguments: list[str]) -> None:
    rounds = int(arguments[0]) if arguments else ROUNDS
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        ours, limit = stack.enter_context(_ours(Path(folder))), stack.enter_context(_limit(Path(folder)))
        numbers = count()
        rates: dict[str, list[tuple[float, float]]] = {}
        for measured in range(rounds + 1):
            for name, measure in WORK.items():
                pair = tuple(measure(server, next(numbers)) for server in (ours, limit))
                if measured:  # the first round warms up
                    rates.setdefault(name, []).append((pair[0], pair[1]))
    print(f"{'per second':26}{'invite_app':>12}{'limit':>12}{'ratio':>8}")
    for name, pairs in rates.items():
        a, b = (median(column) for column in zip(*pairs, strict=True))
        print(f"{name:26}{a:12,.0f}{b:12,.0f}{median(x / y for x, y in pairs):8.2f}")


def _invitations(server: Server, number: int) -> float:
    return _rate(server, [server.invite(f"r{number}i{one}") for one in range(INVITATIONS)])


def _lists(server: Server, _: int) -> float:
    return _rate(server, [server.members] * LISTS)


def _bulk(server: Server, number: int) -> float:
    return ROWS * _rate(server, [server.bulk([f"b{number}i{one}" for one in range(ROWS)])])


WORK: dict[str, Callable[[Server, int], float]] = {
    f"invitations, {THREADS} at once": _invitations,
    "pages of 50 members": _lists,
    f"rows of a list of {ROWS:,}": _bulk,
}


def _rate(server: Server, requests: list[Request]) -> float:
    begun = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(partial(_send, server), [requests[start::THREADS] for start in range(THREADS)]))
    return len(requests) / (time.perf_counter() - begun)


def _send(server: Server, requests: list[Request]) -> None:
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    for one in requests:
        line.request(one.method, one.path, one.body, server.headers)
        answer = line.getresponse()
        body = answer.read()
        if answer.status not in (200, 201):
            raise RuntimeError(f"{one.method} {one.path}: {answer.status} {body[:200]!r}")
    line.close()


@contextmanager
def _ours(folder: Path) -> Iterator[Server]:
    environ = {
        "INVITE_INSTANCE_PATH": str(folder),
        "INVITE_MAIL_SERVER": "127.0.0.1",
        "INVITE_MAIL_DELIVERY": "queued",
        "INVITE_OUTBOX_WORKER": "external",
        "INVITE_RATE_LIMITS": "off",
        "INVITE_SECRET_KEY": "benchmark" * 4,
    }
    seeded = _run([sys.executable, "-m", "tests.benchmarks.seed", '{"sizes": [1000], "accepts": 0}'], environ)
    place = json.loads(seeded)["places"]["1000"]
    path = f"/api/v1/organization/{place['organization_id']}"

    def invitee(tag: str) -> dict[str, Any]:
        return {**_invitee(tag), "workspace_ids": []}

    with _gunicorn(environ) as port:
        yield Server(
            port,
            _headers(place["key"]),
            lambda tag: Request("POST", f"{path}/invitation", json.dumps(invitee(tag)).encode()),
            lambda tags: Request(
                "POST",
                f"{path}/invitations/bulk",
                json.dumps({"invitations": [_invitee(tag) for tag in tags]}).encode(),
            ),
            Request("GET", f"{path}/members?limit=50"),
        )


@contextmanager
def _limit(folder: Path) -> Iterator[Server]:
    environ = {"LIMIT_DATABASE": f"sqlite:///{folder / 'limit.sqlite'}"}
    _run([sys.executable, "-m", "tests.benchmarks.limit"], environ)
    with _gunicorn(environ, "tests.benchmarks.limit:app") as port:
        yield Server(
            port,
            _headers("limit"),
            lambda tag: Request("POST", "/invitations", json.dumps(_invitee(tag)).encode()),
            lambda tags: Request("POST", "/invitations/bulk", json.dumps([_invitee(tag) for tag in tags]).encode()),
            Request("GET", "/members"),
        )


def _invitee(tag: str) -> dict[str, str]:
    return {"given_name": "Ada", "family_name": "Lovelace", "email": f"{tag}@example.com", "role": "member"}


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


def _run(command: list[str], environ: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=clean_environ(environ), check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


@contextmanager
def _gunicorn(environ: dict[str, str], *arguments: str) -> Iterator[int]:
    server = ServerProcess.gunicorn(environ, *arguments, workers=1)
    try:
        yield int(server.wait_until_up().url.rpartition(":")[2])
    finally:
        server.close()
