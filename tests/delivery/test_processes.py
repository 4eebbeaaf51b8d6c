"""Delivery processes that are stopped gracefully or killed."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from invite_app.db import session, transaction
from invite_app.models import OutboxMessage
from invite_app.models.types import now
from invite_app.services import delivery
from invite_app.worker.sender import OutboxSender
from tests.support.factories import Acme, invite, make_organization
from tests.support.mail import SmtpServer, wait_until
from tests.support.server import BIN, ROOT, clean_environ

pytestmark = pytest.mark.process

COUNT = 5
Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def settings(environ: dict[str, str], smtp: SmtpServer) -> dict[str, str]:
    return {**environ, **smtp.environ, "INVITE_MAIL_DELIVERY": "queued", "INVITE_MAIL_TIMEOUT": "20"}


@pytest.fixture
def queue_app(make_app: Callable[..., Flask], settings: dict[str, str]) -> Flask:
    """Return an app with queued invitations."""
    app = make_app(**settings)
    with app.app_context():
        acme: Acme = make_organization()
        for number in range(COUNT):
            invite(acme, f"ana{number}@guest.example")
    return app


@pytest.fixture
def start(settings: dict[str, str]) -> Iterator[Start]:
    """Start `flask outbox run`."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        command = [str(BIN / "flask"), "outbox", "run"]
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        started.append(subprocess.Popen(command, cwd=ROOT, env=clean_environ(settings), **quiet))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_graceful_stop_finishes_one_and_releases_the_rest(
    queue_app: Flask, smtp: SmtpServer, start: Start, how: signal.Signals
) -> None:
    smtp.hang(1, at="message")
    process = start()
    wait_until(lambda: smtp.open_connections, seconds=20)
    process.send_signal(how)
    assert process.wait(timeout=20) == 0
    assert len(smtp.messages) == 1
    with queue_app.app_context():
        status = delivery.outbox_status()
        assert (status.sent_last_hour, status.queued, status.due) == (1, COUNT - 1, COUNT - 1)


def test_killed_process_loses_nothing(queue_app: Flask, smtp: SmtpServer, start: Start) -> None:
    smtp.hang(60, at="message", times=1)
    process = start()
    wait_until(lambda: not smtp.pending_faults, seconds=20)
    assert _due(queue_app) == 0
    process.kill()
    process.wait()
    with queue_app.app_context():
        assert OutboxSender(queue_app).run_once() == 0
        _expire_leases()
        assert OutboxSender(queue_app).run_once() == COUNT
        assert [row.reason for row in session().scalars(select(OutboxMessage))] == [""] * COUNT
        assert delivery.outbox_status().sent_last_hour == COUNT
    assert {message.recipients[0] for message in smtp.messages} == {
        f"ana{number}@guest.example" for number in range(COUNT)
    }


def test_first_request_starts_a_thread_in_the_server(
    queue_app: Flask, smtp: SmtpServer, settings: dict[str, str], start_process: Any
) -> None:
    own = {name: value for name, value in settings.items() if name != "INVITE_EXTERNAL_URL"}
    server = start_process("flask run", **own | {"INVITE_OUTBOX_WORKER": "embedded"})
    smtp.wait_for(COUNT)
    assert server.stop() in (0, -signal.SIGTERM)


def test_commands_and_external_workers_ignore_the_queue(
    queue_app: Flask, smtp: SmtpServer, settings: dict[str, str], start_process: Any
) -> None:
    own = {name: value for name, value in settings.items() if name != "INVITE_EXTERNAL_URL"}
    start_process("flask run", **own | {"INVITE_OUTBOX_WORKER": "external"})
    env = clean_environ({**settings, "INVITE_OUTBOX_WORKER": "embedded"})
    subprocess.run([str(BIN / "flask"), "outbox", "status"], cwd=ROOT, env=env, check=True, capture_output=True)
    assert _due(queue_app) == COUNT
    assert smtp.connections == 0


def _due(app: Flask) -> int:
    with app.app_context():
        return delivery.outbox_status().due


def _expire_leases() -> None:
    with transaction() as writing:
        writing.execute(update(OutboxMessage).values(next_attempt_at=now()))
