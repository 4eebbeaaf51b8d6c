"""Delivery survives any error, writes a heartbeat, and is reported when it stalls."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from invite_app import worker
from invite_app.db import session, transaction
from invite_app.models import DeliveryHeartbeat
from invite_app.models.types import now
from invite_app.services import delivery, maintenance
from invite_app.worker import loop
from invite_app.worker.sender import OutboxSender
from tests.support.factories import invite, make_organization, set_delivery
from tests.support.mail import SmtpServer, wait_until

START = Callable[[], threading.Thread]


@pytest.fixture
def mail_app(make_app: Callable[..., Flask], smtp: SmtpServer) -> Flask:
    return make_app(**smtp.environ, INVITE_MAIL_DELIVERY="queued")


@pytest.fixture
def start(mail_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[START]:
    """Start the loop with short pauses."""
    monkeypatch.setattr(loop, "IDLE_SECONDS", 0.02)
    stop, threads = threading.Event(), []

    def start() -> threading.Thread:
        threads.append(threading.Thread(target=worker.run, args=(mail_app, stop)))
        threads[-1].start()
        return threads[-1]

    yield start
    stop.set()
    for thread in threads:
        thread.join()


def fail_first(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[MemoryError]:
    """Make the first call raise a MemoryError; the list holds it afterwards."""
    real, raised = getattr(owner, name), []

    def failing(*args: Any, **options: Any) -> Any:
        if not raised:
            raised.append(MemoryError())
            raise raised[0]
        return real(*args, **options)

    monkeypatch.setattr(owner, name, failing)
    return raised


def queue_due(app: Flask, *, due_for: timedelta) -> None:
    """Queue one message that has been due for this long."""
    with app.app_context():
        waiting = invite(make_organization(), "ana@guest.example")
        set_delivery(waiting, state="queued", next_attempt_at=now() - due_for, sent_at=None)


def sent(app: Flask) -> int:
    with app.app_context():
        return delivery.outbox_status().sent_last_hour


def beat(app: Flask, *, ago: timedelta) -> None:
    with app.app_context():
        delivery.record_heartbeat()
        with transaction() as writing:
            writing.execute(update(DeliveryHeartbeat).values(at=now() - ago))


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (maintenance, "run"),
        (delivery, "record_heartbeat"),
        (OutboxSender, "run_once"),
        (delivery, "claim"),
        (delivery, "save_results"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_delivery_continues_after_any_error(
    *,
    mail_app: Flask,
    smtp: SmtpServer,
    start: START,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    owner: Any,
    name: str,
) -> None:
    raised = fail_first(monkeypatch, owner, name)
    with mail_app.app_context():
        invite(make_organization(), "ana@guest.example")
    loop = start()
    wait_until(lambda: raised)
    smtp.wait_for(1)
    wait_until(lambda: sent(mail_app) == 1)
    assert loop.is_alive()
    logged = capsys.readouterr().err
    assert "outbox_failed" in logged
    assert "MemoryError" in logged
    assert len(smtp.messages) == 1


def test_no_outcome_of_a_batch_is_lost(
    mail_app: Flask, smtp: SmtpServer, start: START, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised = fail_first(monkeypatch, delivery, "save_results")
    smtp.hang(0.15, at="message")
    with mail_app.app_context():
        acme = make_organization()
        for number in range(4):
            invite(acme, f"ana{number}@guest.example")
    start()
    wait_until(lambda: sent(mail_app) == 4)
    assert raised
    assert len(smtp.messages) == 4


def test_pauses_grow_while_delivery_fails() -> None:
    failures = loop._Failures()
    assert [failures.note(MemoryError()) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    failures.forget()
    assert failures.note(MemoryError()) == 1


def test_heartbeat_is_written_at_intervals(mail_app: Flask, start: START, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds, beats, run_once = [], [], OutboxSender.run_once
    record = delivery.record_heartbeat
    monkeypatch.setattr(OutboxSender, "run_once", lambda *given: (rounds.append(1), run_once(*given))[1])
    monkeypatch.setattr(delivery, "record_heartbeat", lambda: (beats.append(1), record())[1])
    start()
    wait_until(lambda: len(rounds) >= 20)
    assert len(beats) == 1
    with mail_app.app_context():
        age = delivery.read_heartbeat().age
        assert age is not None
        assert age < timedelta(minutes=1)


def test_simultaneous_first_heartbeats_create_one_row(mail_app: Flask) -> None:
    def record() -> None:
        with mail_app.app_context():
            delivery.record_heartbeat()

    threads = [threading.Thread(target=record) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with mail_app.app_context():
        assert session().scalar(select(func.count()).select_from(DeliveryHeartbeat)) == 1


class TestReadiness:
    @pytest.mark.parametrize(
        ("runs", "status", "code"), [("embedded", "unavailable", 503), ("external", "degraded", 200)]
    )
    @pytest.mark.parametrize("seen", [None, timedelta(minutes=3)], ids=["never", "three minutes ago"])
    def test_stalled_delivery_is_reported(
        self,
        *,
        make_app: Callable[..., Flask],
        smtp: SmtpServer,
        seen: timedelta | None,
        runs: str,
        status: str,
        code: int,
    ) -> None:
        app = make_app(**smtp.environ, INVITE_OUTBOX_WORKER=runs)
        queue_due(app, due_for=timedelta(minutes=3))
        if seen:
            beat(app, ago=seen)
        ready = app.test_client().get("/readyz")
        assert (ready.status_code, ready.json["status"]) == (code, status)
        assert "delivery has" in ready.json["reason"]

    @pytest.mark.parametrize(
        ("due_for", "ago"),
        [
            (timedelta(minutes=-5), timedelta(minutes=3)),
            (timedelta(seconds=100), timedelta(minutes=3)),
            (timedelta(minutes=3), timedelta(seconds=100)),
        ],
        ids=["nothing is due", "due for a moment", "at work"],
    )
    def test_no_other_delivery_is_reported(self, mail_app: Flask, due_for: timedelta, ago: timedelta) -> None:
        queue_due(mail_app, due_for=due_for)
        beat(mail_app, ago=ago)
        assert mail_app.test_client().get("/readyz").json == {"status": "ok"}

    def test_metrics_and_status_show_the_age(self, mail_app: Flask) -> None:
        client, commands = mail_app.test_client(), mail_app.test_cli_runner()
        assert "invite_delivery_heartbeat_age_seconds" not in client.get("/metrics").text
        queue_due(mail_app, due_for=timedelta(minutes=4))
        beat(mail_app, ago=timedelta(minutes=3))
        assert re.search(
            r"^invite_delivery_heartbeat_age_seconds 18\d\.0$", client.get("/metrics").text, re.MULTILINE
        )
        status = json.loads(commands.invoke(args=["outbox", "status", "--json"]).stdout)
        assert 180 <= status["heartbeat_seconds"] < 190
        assert "delivery has stood still" in commands.invoke(args=["outbox", "status"]).stdout
