"""Immediate delivery: the first send is accepted by the mail server, or nothing is stored."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from invite_app.db import session
from invite_app.errors import DeliveryFailed, InvalidEmail
from invite_app.mail.transport import NotSent, Receipt, transport
from invite_app.models import AuditEvent, Invitation, Organization, OutboxMessage
from invite_app.models.types import now
from invite_app.services import delivery, invitations
from invite_app.services.delivery import attempts, outcomes
from tests.support.factories import Acme, invite, make_organization, reread, set_delivery, token_of
from tests.support.mail import SmtpServer


@pytest.fixture
def acme(smtp_app: Flask) -> Iterator[Acme]:
    with smtp_app.app_context():
        yield make_organization()
        transport().close()  # type: ignore[attr-defined]


Elsewhere = Callable[[], AbstractContextManager[object]]


@pytest.fixture
def elsewhere(smtp_app: Flask) -> Elsewhere:
    """Return the same app with a database session of its own, as another process."""
    return smtp_app.app_context


def message_of(invitation: Invitation) -> OutboxMessage:
    session().commit()
    query = select(OutboxMessage).where(OutboxMessage.invitation_id == invitation.id)
    return session().execute(query, execution_options={"populate_existing": True}).scalar_one()


def counts(acme: Acme) -> tuple[int, int]:
    session().expire_all()
    rows = session().scalar(select(func.count()).select_from(Invitation))
    return rows, session().get_one(Organization, acme.id).pending_count


def test_mail_server_has_the_message_on_return(acme: Acme, smtp: SmtpServer) -> None:
    invitation = invite(acme, "ana@guest.example")
    (mail,) = smtp.to("ana@guest.example")
    assert mail.links[0].endswith("/invitations/" + token_of(invitation))
    message = message_of(invitation)
    assert (message.state, message.attempts, message.lease) == ("sent", 1, None)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("550 5.1.1 no such user", InvalidEmail),
        ("553 bad mailbox name", InvalidEmail),
        ("550 5.7.1 not from you", DeliveryFailed),
        ("451 4.7.1 later", DeliveryFailed),
    ],
)
def test_rejected_message_deletes_its_invitation(
    acme: Acme, smtp: SmtpServer, answer: str, error: type[Exception]
) -> None:
    smtp.fail(answer, times=1)
    with pytest.raises(error):
        invite(acme, "ana@guest.example")
    assert counts(acme) == (0, 0)
    event = session().scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert (event.action, event.target_name, event.actor_id) == (
        "invitation.delivery_failed",
        "ana@guest.example",
        acme.owner.id,
    )
    assert answer[:3] in event.after["reason"]
    assert invite(acme, "ana@guest.example").state == "pending"


def test_invitation_closed_meanwhile_is_kept(
    acme: Acme, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def revoke_then_fail(*_: object) -> None:
        with elsewhere():
            (invitation_id,) = session().scalars(select(Invitation.id)).all()
            invitations.revoke(acme.id, invitation_id, by=acme.owner.actor)
        raise NotSent("cut off")

    monkeypatch.setattr(type(transport()), "send", revoke_then_fail)
    invitation = invite(acme)
    assert reread(invitation).state == "revoked"
    assert counts(acme) == (1, 0)


def test_failed_send_stores_nothing(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(transport()), "send", break_down)
    with pytest.raises(KeyboardInterrupt):
        invite(acme)
    assert counts(acme) == (0, 0)


def test_resend_during_first_send_keeps_the_invitation(
    acme: Acme, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resend_then_fail(*_: object) -> None:
        with elsewhere():
            (invitation_id,) = session().scalars(select(Invitation.id)).all()
            invitations.resend(acme.id, invitation_id, by=acme.owner.actor)
        raise NotSent("cut off")

    monkeypatch.setattr(type(transport()), "send", resend_then_fail)
    assert message_of(invite(acme)).state == "queued"
    assert counts(acme) == (1, 1)


class TestClaimed:
    @pytest.fixture
    def three(self, acme: Acme) -> list[Invitation]:
        sent = [invite(acme, f"ana{number}@guest.example") for number in range(3)]
        for invitation in sent:
            set_delivery(invitation, state="queued", next_attempt_at=now() - timedelta(seconds=9))
        return sent

    def test_all_messages_of_a_batch_are_delivered(self, three: list[Invitation], smtp: SmtpServer) -> None:
        assert delivery.save_results([delivery.attempt(row) for row in delivery.claim(10)]) == 3
        assert len(smtp.messages) == 6
        assert [message_of(invitation).sends for invitation in three] == [1, 1, 1]

    def test_messages_cannot_be_claimed_meanwhile(self, three: list[Invitation]) -> None:
        assert len(delivery.claim(2)) == 2
        assert len(delivery.claim(10)) == 1
        assert delivery.claim(10) == []

    def test_revoked_invitation_is_not_sent(self, acme: Acme, three: list[Invitation], smtp: SmtpServer) -> None:
        invitations.revoke(acme.id, three[0].id, by=acme.owner.actor)
        delivery.save_results([delivery.attempt(row) for row in delivery.claim(10)])
        assert len(smtp.messages) == 5
        assert [message_of(invitation).state for invitation in three] == ["failed", "sent", "sent"]

    def test_message_with_expiring_lease_is_skipped(self, three: list[Invitation], smtp: SmtpServer) -> None:
        (row,) = delivery.claim(1)
        row.next_attempt_at = now() + timedelta(seconds=9)
        delivery.save_results([delivery.attempt(row)])
        assert len(smtp.messages) == 3
        assert (message_of(three[0]).state, message_of(three[0]).lease) == ("queued", None)

    def test_outcome_after_a_lost_lease_is_discarded(self, three: list[Invitation], elsewhere: Elsewhere) -> None:
        theirs = uuid4()
        mine, lost = delivery.claim(2)
        sent = [delivery.attempt(row) for row in (mine, lost)]
        with elsewhere():
            set_delivery(lost.invitation_id, lease=theirs)
        assert delivery.save_results(sent) == 1
        attempts.mark_sent(lost, Receipt("host", "250 ok"))
        session().expire_all()
        now_there = [session().get_one(OutboxMessage, one.id) for one in (mine, lost)]
        assert [(row.state, row.lease) for row in now_there] == [("sent", None), ("queued", theirs)]


def test_connection_lost_after_sending_is_retried_once(
    acme: Acme, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = [OperationalError("COMMIT", None, Exception("the server closed the connection"))]
    write = delivery.save_results

    def failing_once(several: list[delivery.Outcome]) -> object:
        if lost:
            raise lost.pop()
        return write(several)

    monkeypatch.setattr(outcomes, "save_results", failing_once)
    invitation = invite(acme, "ana@guest.example")
    assert (message_of(invitation).state, len(smtp.to("ana@guest.example"))) == ("sent", 1)
