"""Queued mail is held back or cancelled once the rights it rests on are gone."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from invite_app.db import session
from invite_app.models import Invitation, OutboxMessage
from invite_app.services import (
    accounts,
    api_keys,
    delivery,
    invitations,
    inviter_mail,
    maintenance,
    members,
    organizations,
    roles,
)
from invite_app.services.invitations import StatusReason
from invite_app.worker.sender import OutboxSender
from tests.support.factories import Acme, invite, make_api_key, make_organization, make_role, token_of
from tests.support.mail import SmtpServer

ADDRESS = "ana@guest.example"


@pytest.fixture
def queue_app(make_app: Callable[..., Flask], smtp: SmtpServer) -> Flask:
    return make_app(**smtp.environ, INVITE_MAIL_DELIVERY="queued")


@pytest.fixture
def acme(queue_app: Flask) -> Acme:
    with queue_app.app_context():
        return make_organization()


@pytest.fixture
def in_app(queue_app: Flask, acme: Acme) -> Iterator[None]:
    with queue_app.app_context():
        yield


pytestmark = pytest.mark.usefixtures("in_app")


def work(app: Flask) -> int:
    return OutboxSender(app).run_once()


def message() -> OutboxMessage:
    session().expire_all()
    return session().scalars(select(OutboxMessage)).one()


def remove_sender(acme: Acme) -> Invitation:
    invitation = invite(acme, ADDRESS, by=acme.admin.actor)
    members.remove(acme.id, acme.admin.id, by=acme.owner.actor)
    return invitation


def demote_sender(acme: Acme) -> Invitation:
    invitation = invite(acme, ADDRESS, by=acme.admin.actor)
    members.change_role(acme.id, acme.admin.id, "member", by=acme.owner.actor)
    return invitation


def revoke_key(acme: Acme) -> Invitation:
    key = make_api_key(acme)
    invitation = invite(acme, ADDRESS, by=key.actor)
    api_keys.revoke(acme.id, key.id, by=acme.owner.actor)
    return invitation


@pytest.mark.parametrize("lose_right", [remove_sender, demote_sender, revoke_key])
def test_mail_waits_for_taking_over(
    queue_app: Flask, acme: Acme, smtp: SmtpServer, lose_right: Callable[[Acme], Invitation]
) -> None:
    invitation = lose_right(acme)
    assert (work(queue_app), work(queue_app)) == (1, 0)
    held = message()
    assert (smtp.messages, held.state, held.attempts, held.lease) == ([], "queued", 0, None)
    invitations.take_over(acme.id, invitation.id, by=acme.owner.actor)
    assert (work(queue_app), work(queue_app)) == (1, 0)
    [mail] = smtp.to(ADDRESS)
    assert mail.message["Reply-To"] == acme.owner.email


def test_held_mail_is_shown_with_its_reason(queue_app: Flask, acme: Acme) -> None:
    invitation = remove_sender(acme)
    work(queue_app)
    shown = invitations.get(acme.id, invitation.id, by=acme.owner.actor)
    assert invitations.why(shown, shown.created_at) == StatusReason.INVITER_LOST_RIGHT


def test_held_mail_is_not_due(queue_app: Flask, acme: Acme) -> None:
    remove_sender(acme)
    work(queue_app)
    status = delivery.outbox_status()
    assert (status.queued, status.held, status.due) == (0, 1, 0)
    assert (status.oldest_due_seconds, status.next_attempt_at) == (None, None)
    assert delivery.read_heartbeat().due_since is None


def test_right_that_returns_releases_mail(queue_app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    demote_sender(acme)
    work(queue_app)
    members.change_role(acme.id, acme.admin.id, "admin", by=acme.owner.actor)
    work(queue_app)
    assert len(smtp.to(ADDRESS)) == 1


def test_domain_that_returns_releases_mail(queue_app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    invite(acme, ADDRESS)
    change = organizations.Changes
    organizations.change(acme.id, change(allowed_domains=["acme.example"]), by=acme.owner.actor)
    work(queue_app)
    assert not smtp.messages
    organizations.change(acme.id, change(allowed_domains=[]), by=acme.owner.actor)
    work(queue_app)
    assert len(smtp.to(ADDRESS)) == 1


def test_another_role_releases_mail(queue_app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    make_role(acme, "Reviewer", ["members:read"])
    invitation = invite(acme, ADDRESS, "reviewer")
    roles.delete(acme.id, "reviewer", by=acme.owner.actor)
    work(queue_app)
    assert not smtp.messages
    invitations.edit(acme.id, invitation.id, invitations.Changes(role="member"), by=acme.owner.actor)
    work(queue_app)
    assert len(smtp.to(ADDRESS)) == 1


def test_taking_over_while_held_loses_nothing(queue_app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    """The delivery process has read the old sender, and writes its result after the new one has taken over."""
    invitation = remove_sender(acme)
    [claimed] = delivery.claim(10)
    result = delivery.attempt(claimed)
    invitations.take_over(acme.id, invitation.id, by=acme.owner.actor)
    assert delivery.save_results([result]) == 1
    work(queue_app)
    assert len(smtp.to(ADDRESS)) == 1


def test_removed_sender_taken_over_at_removal(queue_app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    invite(acme, ADDRESS, by=acme.admin.actor)
    members.remove(acme.id, acme.admin.id, by=acme.owner.actor, take_over=True)
    work(queue_app)
    [mail] = smtp.to(ADDRESS)
    assert mail.message["Reply-To"] == acme.owner.email


def test_mail_of_closed_invitation_is_not_held(queue_app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    invitation = remove_sender(acme)
    work(queue_app)
    invitations.revoke(acme.id, invitation.id, by=acme.owner.actor)
    maintenance.run()
    work(queue_app)
    assert (delivery.outbox_status().held, message().state, smtp.messages) == (0, "failed", [])


@pytest.mark.parametrize("new_role", [None, "member"])
def test_former_inviters_get_no_queued_answers(
    new_role: str | None, queue_app: Flask, acme: Acme, smtp: SmtpServer
) -> None:
    invitation = invite(acme, ADDRESS, by=acme.admin.actor)
    work(queue_app)
    invitations.decline(token_of(invitation))
    if new_role is None:
        members.remove(acme.id, acme.admin.id, by=acme.owner.actor)
    else:
        members.change_role(acme.id, acme.admin.id, new_role, by=acme.owner.actor)
    work(queue_app)
    assert not [mail for mail in smtp.to(acme.admin.email) if "declined" in mail.message["Subject"]]
    query = select(OutboxMessage.state).where(OutboxMessage.kind == inviter_mail.DECLINED)
    assert session().scalars(query).all() == ["failed"]


def test_present_inviters_get_queued_answers(queue_app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    invitation = invite(acme, ADDRESS, by=acme.admin.actor)
    invitations.decline(token_of(invitation))
    members.change_role(acme.id, acme.member.id, "admin", by=acme.owner.actor)
    work(queue_app)
    assert len(smtp.to(acme.admin.email)) == 1


def test_links_that_ended_are_not_mailed(queue_app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    accounts.request_reset(acme.member.email)
    accounts.end_other_sessions(acme.member.id, keep_session="")
    work(queue_app)
    [mail] = smtp.to(acme.member.email)
    assert "/reset/" not in str(mail.message)
