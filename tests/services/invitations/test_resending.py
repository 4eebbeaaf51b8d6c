"""Resending one invitation: with another note, to another address, or immediately."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from invite_app.db import session
from invite_app.errors import (
    AlreadyMember,
    CannotGrantRole,
    DomainNotAllowed,
    InvalidLink,
    InvalidNote,
    InvitationClosed,
)
from invite_app.mail import messages
from invite_app.models import OutboxMessage
from invite_app.models.types import now
from invite_app.services import invitations
from invite_app.services.delivery import queries
from tests.support.factories import (
    OPERATOR,
    Acme,
    configure,
    expire,
    history,
    invite,
    make_member,
    make_role,
    reread,
    set_delivery,
    token_of,
)


def message_of(invitation_id: object) -> OutboxMessage:
    session().commit()
    found: OutboxMessage = session().scalar(
        queries.with_relations().where(OutboxMessage.invitation_id == invitation_id)
    )
    return found


class TestWithAnotherNote:
    def test_mail_has_the_note_and_the_same_link(self, acme: Acme) -> None:
        sent = invite(acme, note="Welcome.")
        token = token_of(sent)
        invitations.resend(acme.id, sent.id, note="Sign out first.", by=acme.owner.actor)
        assert "> Sign out first" in messages.invitation(message_of(sent.id)).text
        assert invitations.open_link(token).invitation.note == "Sign out first."
        newest = history(sent.id)[0]
        assert (newest.action, newest.before, newest.after) == (
            "invitation.resent",
            {"note": "Welcome."},
            {"note": "Sign out first."},
        )

    def test_note_is_validated_before_sending(self, acme: Acme) -> None:
        sent = invite(acme)
        with pytest.raises(InvalidNote):
            invitations.resend(acme.id, sent.id, note="x" * 1001, by=acme.owner.actor)
        assert message_of(sent.id).sends == 1


class TestToAnotherAddress:
    @pytest.mark.parametrize("is_expired", [True, False], ids=["expired", "pending"])
    def test_old_link_is_invalid_and_new_one_sent(self, is_expired: bool, acme: Acme) -> None:
        sent = invite(acme, "slip@guest.example")
        token = token_of(sent)
        if is_expired:
            expire(sent, timedelta(days=1))
        invitations.resend(acme.id, sent.id, email="Right@guest.example", by=acme.owner.actor)
        found = reread(sent)
        assert (found.email, found.state, found.expires_at > now()) == ("right@guest.example", "pending", True)
        assert messages.invitation(message_of(sent.id)).to == "right@guest.example"
        with pytest.raises(InvalidLink):
            invitations.open_link(token)

    @pytest.mark.parametrize("is_expired", [True, False], ids=["expired", "pending"])
    def test_address_must_be_invitable(self, is_expired: bool, acme: Acme) -> None:
        sent = invite(acme, "slip@guest.example")
        if is_expired:
            expire(sent, timedelta(days=1))
        with pytest.raises(AlreadyMember):
            invitations.resend(acme.id, sent.id, email=acme.member.email, by=acme.owner.actor)
        configure(acme, allowed_domains=["guest.example"])
        with pytest.raises(DomainNotAllowed):
            invitations.resend(acme.id, sent.id, email="a@other.example", by=acme.owner.actor)
        assert (reread(sent).email, message_of(sent.id).sends) == ("slip@guest.example", 1)


class TestRetryingNow:
    def test_makes_the_message_due_immediately(self, acme: Acme) -> None:
        sent = invite(acme)
        later = now() + timedelta(hours=1)
        set_delivery(sent, state="queued", reason="452 full", attempts=2, next_attempt_at=later)
        ends = reread(sent).expires_at
        invitations.retry_delivery(acme.id, sent.id, by=acme.owner.actor)
        row = message_of(sent.id)
        assert (row.next_attempt_at <= now(), row.attempts, row.sends, reread(sent).expires_at) == (True, 2, 1, ends)

    def test_skips_a_message_being_sent(self, acme: Acme) -> None:
        sent = invite(acme)
        later = now() + timedelta(hours=1)
        set_delivery(sent, state="queued", lease=acme.id, next_attempt_at=later)
        invitations.retry_delivery(acme.id, sent.id, by=acme.owner.actor)
        assert session().scalar(select(OutboxMessage.next_attempt_at)) == later

    def test_needs_pending_invitation_and_permission_to_assign(self, acme: Acme) -> None:
        make_role(acme, "Inviter", ["invitations:read", "invitations:write"])
        inviter = make_member(acme, "inviter@acme.example", role="inviter")
        sent = invite(acme, role="admin")
        with pytest.raises(CannotGrantRole):
            invitations.retry_delivery(acme.id, sent.id, by=inviter.actor)
        invitations.revoke(acme.id, sent.id, by=OPERATOR)
        with pytest.raises(InvitationClosed):
            invitations.retry_delivery(acme.id, sent.id, by=acme.owner.actor)
