"""Sending over SMTP, and invitations whose message the server rejects."""

import time
from collections.abc import Callable
from email.utils import parseaddr
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from invite_app.db import session
from invite_app.errors import DeliveryFailed, InvalidEmail
from invite_app.models import AuditEvent, Invitation, Organization, OutboxMessage
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, configure, invite
from tests.support.mail import SmtpServer
from tests.support.ports import free_port
from tests.support.tls import Authority

from .conftest import Send

TIMEOUT = 2


def leftovers(app: Flask, acme: Acme) -> dict[str, Any]:
    """Return the rows that a rejected message left in the database."""
    with app.app_context():
        events = session().scalars(select(AuditEvent).where(AuditEvent.action == "invitation.delivery_failed"))
        return {
            "invitations": session().scalar(select(func.count()).select_from(Invitation)),
            "messages": session().scalar(select(func.count()).select_from(OutboxMessage)),
            "pending": session().get_one(Organization, acme.id).pending_count,
            "reasons": [event.after["reason"] for event in events],
        }


class TestAccepted:
    def test_message_is_complete(self, mail_app: Flask, acme: Acme, send: Send, smtp: SmtpServer) -> None:
        assert send(given_name="Ana", note="See you soon") is None
        (received,) = smtp.messages
        with mail_app.app_context():
            row = session().scalars(select(OutboxMessage)).one()
        mail = received.message
        assert (received.sender, received.recipients) == ("invitations@ours.example", ["ana@guest.example"])
        assert [part.get_content_type() for part in mail.walk() if not part.is_multipart()] == [
            "text/plain",
            "text/html",
        ]
        assert "See you soon" in received.text
        assert "See you soon" in received.html
        assert (mail["Auto-Submitted"], mail["Reply-To"]) == ("auto-generated", "owner@acme.example")
        assert mail["Message-ID"] == f"<{row.id}.1@localhost>"
        assert parseaddr(str(mail["From"])) == ("Acme", "invitations@ours.example")
        assert (row.state, row.attempts, row.answer) == ("sent", 1, "127.0.0.1: 250 2.0.0 queued as 4Z7")

    def test_connection_is_reused(self, send: Send, smtp: SmtpServer) -> None:
        assert [send(f"ana{number}@guest.example") for number in range(3)] == [None, None, None]
        assert (len(smtp.messages), smtp.connections) == (3, 1)

    def test_forked_process_leaves_its_parents_connection_alone(
        self, send: Send, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send("ana@guest.example")
        monkeypatch.setattr("os.getpid", lambda: -1)
        send("bo@guest.example")
        assert (len(smtp.messages), smtp.connections) == (2, 2)

    @pytest.mark.parametrize("goodbye", ["421 4.4.2 idle for too long", None])
    def test_connection_closed_while_idle_is_reopened(
        self, send: Send, smtp: SmtpServer, goodbye: str | None
    ) -> None:
        send("ana@guest.example")
        smtp.close_connections(goodbye)
        assert send("bo@guest.example") is None
        assert (len(smtp.messages), smtp.connections) == (2, 2)

    @pytest.mark.parametrize(
        "name",
        [
            'Acme <ceo@bank.example>, "x"',
            "Acme, Inc.",
            "Bcc: everybody@guest.example",
            "Ünï <a@b.example>" * 5,
            "=?utf-8?q?ceo=40bank?=",
            "名" * 100,
        ],
    )
    def test_name_stays_a_name(self, mail_app: Flask, acme: Acme, send: Send, smtp: SmtpServer, name: str) -> None:
        with mail_app.app_context():
            configure(acme, name=name)
        assert send() is None
        (received,) = smtp.messages
        assert received.message["From"].addresses[0].addr_spec == "invitations@ours.example"
        assert len(received.message["From"].addresses) == 1
        assert received.message["Bcc"] is None
        assert (received.sender, received.recipients) == ("invitations@ours.example", ["ana@guest.example"])


@on_sqlite
class TestContent:
    """Content arrives unchanged, with and without SMTP pipelining."""

    @pytest.mark.parametrize("pipelining", [True, False])
    @pytest.mark.parametrize(
        "note",
        [
            "Grüße\n.\n..\nQUIT",
            "x" * 1000,
            "名 " * 330,
            "--=_\nContent-Type: text/html\n\n<b>no</b>",
            "=?utf-8?q?no?= = =3D \t end ",
        ],
        ids=range(5),
    )
    def test_arrives_as_written(
        self, *, mail_app: Flask, acme: Acme, send: Send, smtp: SmtpServer, note: str, pipelining: bool
    ) -> None:
        smtp.pipelining = pipelining
        with mail_app.app_context():
            configure(acme, name="Grüße =?utf-8?q?no?=")
        assert send(note=note) is None
        (received,) = smtp.messages
        written = received.text.replace("\u200b", "")
        assert [line.removeprefix("> ").rstrip() for line in written.splitlines() if line.startswith(">")] == [
            line.rstrip() for line in note.splitlines()
        ]
        assert received.subject.replace("\u200b", "") == "Olivia Owner invites you to Grüße =?utf-8?q?no?="
        assert max(map(len, received.content.split(b"\r\n"))) < 998
        assert b"\n" not in received.content.replace(b"\r\n", b"")

    @pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
    def test_rejection_is_matched_to_its_command(self, send: Send, smtp: SmtpServer, stage: Any) -> None:
        smtp.fail("451 4.7.1 later", at=stage, times=1)
        assert isinstance(send(), DeliveryFailed)
        assert send("bo@guest.example") is None
        assert [message.recipients for message in smtp.messages] == [["bo@guest.example"]]


@pytest.mark.parametrize(
    ("answer", "stage", "error"),
    [
        ("550 5.1.1 no such user", "rcpt", InvalidEmail),
        ("551 user not local", "rcpt", InvalidEmail),
        ("553 mailbox name not allowed", "rcpt", InvalidEmail),
        ("550 5.7.1 rejected by policy", "rcpt", DeliveryFailed),
        ("552 5.2.2 mailbox full", "rcpt", DeliveryFailed),
        ("450 4.2.1 try later", "rcpt", DeliveryFailed),
        ("421 4.3.2 shutting down", "rcpt", DeliveryFailed),
        ("550 5.1.8 bad sender", "mail", DeliveryFailed),
        ("554 no service here", "connect", DeliveryFailed),
        ("421 too busy", "connect", DeliveryFailed),
        ("554 5.6.0 no", "data", DeliveryFailed),
        ("550 5.1.1 found out late", "message", DeliveryFailed),
    ],
)
@on_sqlite
def test_rejection_removes_the_invitation(
    *, mail_app: Flask, acme: Acme, send: Send, smtp: SmtpServer, answer: str, stage: Any, error: type[Exception]
) -> None:
    smtp.fail(answer, at=stage)
    assert type(send()) is error
    left = leftovers(mail_app, acme)
    assert (left["invitations"], left["messages"], left["pending"]) == (0, 0, 0)
    assert left["reasons"] == [answer]
    smtp.behave()
    assert send() is None


class TestUnreachable:
    @pytest.fixture
    def mail_app(self, make_app: Callable[..., Flask], smtp: SmtpServer) -> Flask:
        return make_app(**smtp.environ, INVITE_MAIL_TIMEOUT=str(TIMEOUT))

    def test_connection_refused(self, make_app: Callable[..., Flask], mail_app: Flask, acme: Acme) -> None:
        app = make_app(INVITE_MAIL_SERVER="127.0.0.1", INVITE_MAIL_PORT=str(free_port()))
        with app.app_context(), pytest.raises(DeliveryFailed) as failed:
            invite(acme)
        assert "cannot be reached" in failed.value.reason
        left = leftovers(mail_app, acme)
        assert (left["invitations"], len(left["reasons"])) == (0, 1)

    @pytest.mark.parametrize("stage", ["connect", "ehlo", "mail", "rcpt", "data", "message"])
    @pytest.mark.parametrize("is_idle", [False, True])
    @on_sqlite
    def test_silent_server_times_out(self, send: Send, smtp: SmtpServer, stage: Any, is_idle: bool) -> None:
        if is_idle:
            send("first@guest.example")
        smtp.hang(30, at=stage)
        began = time.monotonic()
        error = send()
        assert time.monotonic() - began < 6 * TIMEOUT
        if is_idle and stage in ("connect", "ehlo"):
            assert error is None
        else:
            assert isinstance(error, DeliveryFailed)
            assert error.reason == "the mail server did not answer in time"

    @on_sqlite
    def test_slow_dripping_server_times_out(self, mail_app: Flask, acme: Acme, send: Send, dripping: int) -> None:
        mail_app.extensions["mail"].port = dripping
        began = time.monotonic()
        error = send()
        assert TIMEOUT - 0.1 < time.monotonic() - began < 6 * TIMEOUT
        assert isinstance(error, DeliveryFailed)
        assert error.reason == "the mail server did not answer in time"

    @pytest.mark.parametrize("is_idle", [False, True])
    @on_sqlite
    def test_connection_lost_mid_message_is_not_retried(
        self, mail_app: Flask, acme: Acme, send: Send, smtp: SmtpServer, is_idle: bool
    ) -> None:
        if is_idle:
            send("first@guest.example")
        connections = smtp.connections
        smtp.drop(at="message", times=1)
        assert isinstance(send(), DeliveryFailed)
        assert smtp.to("ana@guest.example") == []
        assert smtp.connections == max(1, connections)


@on_sqlite
class TestTls:
    def test_starttls_and_login(
        self, make_app: Callable[..., Flask], acme: Acme, smtp_starttls: SmtpServer, trusted_authority: Authority
    ) -> None:
        self.invite(make_app(**smtp_starttls.environ), acme)
        assert (smtp_starttls.messages[0].over_tls, smtp_starttls.messages[0].username) == (True, "mailer")

    def test_tls_from_the_first_byte(
        self, make_app: Callable[..., Flask], acme: Acme, smtp_tls: SmtpServer, trusted_authority: Authority
    ) -> None:
        self.invite(make_app(**smtp_tls.environ), acme)
        assert smtp_tls.messages[0].over_tls

    @pytest.mark.parametrize("server", ["smtp_starttls", "smtp_tls"])
    def test_untrusted_certificate_is_refused(
        self, make_app: Callable[..., Flask], acme: Acme, request: pytest.FixtureRequest, server: str
    ) -> None:
        smtp: SmtpServer = request.getfixturevalue(server)
        with pytest.raises(DeliveryFailed) as failed:
            self.invite(make_app(**smtp.environ), acme)
        assert "CERTIFICATE_VERIFY_FAILED" in failed.value.reason
        assert smtp.messages == []

    def test_certificate_of_another_name_is_refused(
        self, make_app: Callable[..., Flask], acme: Acme, smtp_starttls: SmtpServer, trusted_authority: Authority
    ) -> None:
        app = make_app(**smtp_starttls.environ | {"INVITE_MAIL_SERVER": "127.0.0.2"})
        with pytest.raises(DeliveryFailed):
            self.invite(app, acme)
        assert smtp_starttls.messages == []

    def test_wrong_login_is_refused(
        self, make_app: Callable[..., Flask], acme: Acme, smtp_starttls: SmtpServer, trusted_authority: Authority
    ) -> None:
        app = make_app(**smtp_starttls.environ | {"INVITE_MAIL_PASSWORD": "not this one"})
        with pytest.raises(DeliveryFailed) as failed:
            self.invite(app, acme)
        assert failed.value.reason.startswith("535 ")
        assert "not this one" not in failed.value.reason

    def test_server_without_starttls_gets_nothing(
        self, make_app: Callable[..., Flask], acme: Acme, smtp: SmtpServer
    ) -> None:
        app = make_app(**smtp.environ | {"INVITE_MAIL_USE_TLS": "true"})
        with pytest.raises(DeliveryFailed) as failed:
            self.invite(app, acme)
        assert "STARTTLS" in failed.value.reason
        assert smtp.messages == []

    def invite(self, app: Flask, acme: Acme) -> None:
        with app.app_context():
            invite(acme)
        app.extensions["invite_app.transport"].close()  # before the server stops: TLS says goodbye
