"""flask outbox status, failed and retry."""

from datetime import timedelta

import pytest
from flask import Flask

from invite_app.models.types import now
from tests.support.factories import invite, make_organization, set_delivery

from .conftest import Ask, Run


@pytest.fixture
def message_id(app: Flask) -> str:
    """Return the id of a failed message, beside a sent one."""
    with app.app_context():
        acme = make_organization()
        invite(acme, "bo@guest.example")
        failed = invite(acme, "ana@guest.example")
        set_delivery(failed, state="failed", reason="550 no such user", attempts=1, next_attempt_at=now())
        assert failed.message is not None
        return str(failed.message.id)


def test_status_of_an_empty_outbox(ask: Ask) -> None:
    assert set(ask("outbox", "status").values()) == {0, None}


def test_status_shows_counts(message_id: str, ask: Ask, run: Run) -> None:
    status = ask("outbox", "status")
    assert (status["sent_last_hour"], status["failed_last_hour"], status["failed"], status["queued"]) == (1, 1, 1, 0)
    assert status["sent_last_minute"] == 1
    assert "failed last hour    1" in run("outbox", "status").output


def test_status_shows_depth_and_age(app: Flask, ask: Ask) -> None:
    with app.app_context():
        acme = make_organization()
        waiting, later = invite(acme, "ana@guest.example"), invite(acme, "bo@guest.example")
        set_delivery(waiting, state="queued", next_attempt_at=now() - timedelta(minutes=5), sent_at=None)
        set_delivery(later, state="queued", next_attempt_at=now() + timedelta(minutes=5), sent_at=None)
    status = ask("outbox", "status")
    assert (status["queued"], status["due"], status["sent_last_minute"]) == (2, 1, 0)
    assert 300 <= status["oldest_due_seconds"] < 400


def test_failed_message_is_listed_and_retried(message_id: str, ask: Ask, run: Run) -> None:
    (row,) = ask("outbox", "failed")
    assert (row["id"], row["email"], row["reason"]) == (message_id, "ana@guest.example", "550 no such user")
    assert ask("outbox", "retry", message_id) == {"queued": 1, "left": []}
    assert ask("outbox", "failed") == []
    assert run("outbox", "failed").output == "No message was given up.\n"
    assert run("outbox", "retry", message_id).exit_code == 1


def test_all_failed_messages_are_retried(message_id: str, ask: Ask) -> None:
    assert ask("outbox", "retry", "--all") == {"queued": 1}
    assert ask("outbox", "retry", "--all") == {"queued": 0}


@pytest.mark.parametrize("arguments", [(), ("--all", "01a1fbc8-c9c8-72f0-b849-69b0acf74fcb"), ("no-id",)], ids=str)
def test_wrong_usage_is_refused(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("outbox", "retry", *arguments).exit_code == 2
