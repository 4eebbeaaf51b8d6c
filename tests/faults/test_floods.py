"""Floods of large requests by anonymous clients, against a server process."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.support.databases import on_sqlite
from tests.support.factories import PASSWORD
from tests.support.server import ServerProcess
from tests.support.visitor import TOKEN

from .scene import Scene, children_of

MIB = 1024 * 1024
CLIENTS, SECONDS = 24, 8
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FLOOD = b"a&" * (MIB // 2)


class Browser:
    """A client with cookies."""

    def __init__(self, server: ServerProcess) -> None:
        self._host = urlsplit(server.url).netloc
        self._cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
        """Send a request on a new connection; return (0, "") when the connection is lost."""
        line = http.client.HTTPConnection(self._host, timeout=60)
        headers = {"Cookie": "; ".join(map("=".join, self._cookies.items())), **(FORM if body else {})}
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            given = (cookie.partition(";")[0] for cookie in answer.headers.get_all("Set-Cookie", ()))
            self._cookies |= {name: value for name, _, value in (cookie.partition("=") for cookie in given)}
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            line.close()

    def sign_in(self, email: str) -> None:
        token = TOKEN.search(self.ask("GET", "/sign-in")[1])
        assert token
        form = {"email": email, "password": PASSWORD, "csrf_token": token[1]}
        assert self.ask("POST", "/sign-in", urlencode(form).encode())[0] == 303


def memory_of(server: ServerProcess) -> int:
    """Return the resident bytes of a server and its children."""
    total = 0
    for process in (server.pid, *children_of(server.pid)):
        with suppress(OSError):
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
            total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))
    return total


@contextmanager
def flood(server: ServerProcess, path: str) -> Iterator[list[int]]:
    """Send the form repeatedly from all clients; collect the statuses of the responses."""
    statuses: list[int] = []
    is_over = threading.Event()

    def send() -> None:
        while not is_over.is_set():
            statuses.append(Browser(server).ask("POST", path, FLOOD)[0])

    with ThreadPoolExecutor(CLIENTS) as pool:
        for _ in range(CLIENTS):
            pool.submit(send)
        try:
            yield statuses
        finally:
            is_over.set()


def seconds_of(ask: Callable[[], tuple[int, str]]) -> float:
    """Return the duration of a request that must succeed."""
    begun = time.monotonic()
    assert ask()[0] == 200
    return time.monotonic() - begun


@on_sqlite
def test_floods_of_large_forms_delay_nobody(scene: Scene) -> None:
    server = scene.serve(workers=2, INVITE_OUTBOX_WORKER="external")
    owner, probe, page = Browser(server), Browser(server), f"/organizations/{scene.acme.id}/members"
    owner.sign_in(scene.acme.owner.email)
    for _ in range(20):
        assert owner.ask("GET", page)[0] == 200
    before = most = memory_of(server)
    slowest = 0.0
    for path in ("/sign-in", f"/organizations/{scene.acme.id}/invitations/bulk"):
        end = time.monotonic() + SECONDS / 2
        with flood(server, path) as statuses:
            while time.monotonic() < end:
                slowest = max(
                    slowest,
                    seconds_of(lambda: probe.ask("GET", "/healthz")),
                    seconds_of(lambda: owner.ask("GET", page)),
                )
                most = max(most, memory_of(server))
        assert len(statuses) > CLIENTS
    assert slowest < 2
    assert most - before < 100 * MIB
