"""The queue: claims, retries, giving up, and retries by hand."""

import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text

from invite_app import worker
from invite_app.db import IDLE_SECONDS, session
from invite_app.extensions import db
from invite_app.mail import messages
from invite_app.models import AuditEvent, Invitation, OutboxMessage
from invite_app.models.types import now
from invite_app.services import delivery, invitations, maintenance
from invite_app.services.delivery import attempts
from invite_app.worker.sender import OutboxSender
from tests.support.databases import on_postgres
from tests.support.factories import BY_OPERATOR, Acme, expire, invite, make_organization, reread, set_delivery
from tests.support.mail import SmtpServer, wait_until


@pytest.fixture
def queue_app(make_app: Callable[..., Flask], smtp: SmtpServer) -> Flask:
    return make_app(**smtp.environ, INVITE_MAIL_DELIVERY="queued", INVITE_MAIL_TIMEOUT="10")


@pytest.fixture
def acme(queue_app: Flask) -> Acme:
    with queue_app.app_context():
        return make_organization()


def queue(app: Flask, acme: Acme, count: int = 1) -> list[UUID]:
    """Queue invitations; return their ids."""
    with app.app_context():
        return [invite(acme, f"ana{number}@guest.example").id for number in range(count)]


def work(app: Flask) -> int:
    with app.app_context():
        return OutboxSender(app).run_once()


def rows(app: Flask) -> list[OutboxMessage]:
    with app.app_context():
        return list(session().scalars(select(OutboxMessage).order_by(OutboxMessage.created_at)))


def test_queued_is_success_and_sent_later(queue_app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    queue(queue_app, acme)
    assert (smtp.messages, rows(queue_app)[0].state) == ([], "queued")
    assert (work(queue_app), work(queue_app)) == (1, 0)
    assert len(smtp.to("ana0@guest.example")) == 1
    (row,) = rows(queue_app)
    assert (row.state, row.attempts, row.lease, row.reason) == ("sent", 1, None, "")


def test_failed_message_needs_attention_until_retried(queue_app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    (invitation_id,) = queue(queue_app, acme)
    with queue_app.app_context():
        changed = reread(invitation_id).updated_at
    smtp.fail("550 5.1.1 no such mailbox")
    work(queue_app)
    with queue_app.app_context():
        row = reread(invitation_id)
        assert (row.needs_attention, row.undelivered_at is not None, row.updated_at) == (True, True, changed)
        assert delivery.retry_all(by=BY_OPERATOR) == 1
        assert (reread(invitation_id).needs_attention, reread(invitation_id).undelivered_at) == (False, None)


def test_failures_are_retried_with_backoff_then_given_up(queue_app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    (invitation_id,) = queue(queue_app, acme)
    smtp.fail("451 4.7.1 later")
    pauses = []
    for attempt in range(1, delivery.MAX_ATTEMPTS):
        assert work(queue_app) == 1
        (row,) = rows(queue_app)
        assert (row.state, row.attempts, row.reason) == ("queued", attempt, "451 4.7.1 later")
        pauses.append((row.next_attempt_at - now()).total_seconds() / 60)
        assert work(queue_app) == 0
        with queue_app.app_context():
            set_delivery(invitation_id, next_attempt_at=now())
    assert [round(pause / 4**power) for power, pause in enumerate(pauses)] == [1] * len(pauses)
    work(queue_app)
    (row,) = rows(queue_app)
    assert (row.state, row.attempts, row.reason) == ("failed", delivery.MAX_ATTEMPTS, "451 4.7.1 later")
    with queue_app.app_context():
        assert invitations.get(acme.id, invitation_id, by=acme.owner.actor).state == "pending"


def test_nonexistent_address_fails_immediately(queue_app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    queue(queue_app, acme)
    smtp.fail("550 5.1.1 no such user")
    work(queue_app)
    assert [(row.state, row.attempts) for row in rows(queue_app)] == [("failed", 1)]


def test_failed_message_is_retried_by_hand(queue_app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    first, revoked = queue(queue_app, acme, 2)
    smtp.fail("550 5.1.1 no such user", times=2)
    work(queue_app)
    with queue_app.app_context():
        invitations.revoke(acme.id, revoked, by=acme.owner.actor)
        assert (delivery.outbox_status().failed_last_hour, delivery.retry_all(by=BY_OPERATOR)) == (2, 1)
        event = session().scalars(select(AuditEvent).where(AuditEvent.action == "message.retried")).one()
        assert (event.actor_kind, event.target_id, event.organization_id) == ("operator", first, acme.id)
    work(queue_app)
    (received,) = smtp.messages
    assert received.message["Message-ID"] == f"<{rows(queue_app)[0].id}.2@localhost>"


def test_broken_message_does_not_block_the_others(
    queue_app: Flask, acme: Acme, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(queue_app, acme, 3)

    def build(row: OutboxMessage) -> messages.MailMessage:
        if row.invitation is not None and row.invitation.email.startswith("ana1"):
            raise LookupError("a template is gone")
        return messages.invitation(row)

    monkeypatch.setitem(attempts.BUILDERS, "invitation", build)
    assert work(queue_app) == 3
    assert [row.state for row in rows(queue_app)] == ["sent", "queued", "sent"]
    assert "cannot be built" in rows(queue_app)[1].reason


def test_closed_invitation_is_not_sent(queue_app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    (invitation_id,) = queue(queue_app, acme)
    with queue_app.app_context():
        expire(invitation_id)
    work(queue_app)
    assert (smtp.messages, rows(queue_app)[0].reason) == ([], "the invitation ended before it was sent")


def test_no_transaction_is_open_while_sending(
    queue_app: Flask, acme: Acme, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(queue_app, acme)
    is_reading = []
    build = messages.invitation

    def watch(row: OutboxMessage) -> messages.MailMessage:
        message = build(row)
        is_reading.append(session().registry().in_transaction())
        return message

    monkeypatch.setitem(attempts.BUILDERS, "invitation", watch)
    work(queue_app)
    assert is_reading == [False]


@on_postgres
def test_messages_claimed_by_another_process_are_skipped(queue_app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    queue(queue_app, acme, 3)
    with queue_app.app_context(), db.engine.connect().execution_options(begin_immediate=True) as other:
        other.execute(text("SELECT id FROM outbox_messages ORDER BY next_attempt_at LIMIT 1 FOR UPDATE"))
        thread = threading.Thread(target=work, args=(queue_app,))
        thread.start()
        smtp.wait_for(2)
        thread.join(10)
        assert not thread.is_alive()
    assert work(queue_app) == 1


@on_postgres
def test_two_processes_send_each_message_once(
    make_app: Callable[..., Flask], queue_app: Flask, acme: Acme, smtp: SmtpServer
) -> None:
    queue(queue_app, acme, 60)
    others = [make_app(**smtp.environ, INVITE_MAIL_DELIVERY="queued") for _ in range(2)]
    threads = [threading.Thread(target=_work_until_idle, args=(app,)) for app in (queue_app, *others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(message.recipients[0] for message in smtp.messages) == sorted(
        f"ana{number}@guest.example" for number in range(60)
    )


def _work_until_idle(app: Flask) -> None:
    while work(app):
        pass


class TestLoop:
    @pytest.fixture
    def loop(self, queue_app: Flask) -> Any:
        stop = threading.Event()
        thread = threading.Thread(target=worker.run, args=(queue_app, stop))
        thread.start()
        yield thread
        stop.set()
        thread.join()

    def test_sends_new_messages(self, queue_app: Flask, acme: Acme, smtp: SmtpServer, loop: Any) -> None:
        queue(queue_app, acme, 2)
        smtp.wait_for(2)

    def test_records_expired_invitations(self, queue_app: Flask, acme: Acme, request: pytest.FixtureRequest) -> None:
        (invitation_id,) = queue(queue_app, acme)
        with queue_app.app_context():
            expire(invitation_id)
        request.getfixturevalue("loop")
        with queue_app.app_context():
            query = select(Invitation.state).where(Invitation.id == invitation_id)
            wait_until(lambda: (session().commit(), session().scalar(query))[1] == "expired")
            assert maintenance.expire_overdue() == 0

    @on_postgres
    def test_survives_a_restart_of_the_database(
        self, queue_app: Flask, acme: Acme, smtp: SmtpServer, loop: threading.Thread
    ) -> None:
        queue(queue_app, acme)
        smtp.wait_for(1)
        with queue_app.app_context():
            others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            session().execute(text(f"SELECT pg_terminate_backend(pid) {others}"))
        time.sleep(IDLE_SECONDS)  # longer than connections are trusted without a check
        with queue_app.app_context():
            invite(acme, "bo@guest.example")
        smtp.wait_for(2)
        assert loop.is_alive()


def test_without_mail_server_messages_go_to_local_outbox(app: Flask) -> None:
    with app.app_context():
        acme = make_organization()
        invite(acme)
        assert OutboxSender(app).run_once() == 0
        assert delivery.outbox_status().sent_last_hour == 1
        (row,) = delivery.list_local(by=acme.owner.actor).items
        assert (row.state, row.answer) == ("sent", "local outbox")
        assert messages.invitation(row).to == "ana@guest.example"


def test_unstorable_server_response_is_recorded(queue_app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    queue(queue_app, acme)
    smtp.fail("550 5.1.1 no\0body", at="rcpt")
    assert (work(queue_app), work(queue_app)) == (1, 0)
    assert (rows(queue_app)[0].state, rows(queue_app)[0].reason) == ("failed", "550 5.1.1 no?body")
