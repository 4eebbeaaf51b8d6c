"""Claimed messages equal what the session reads, for every kind of message."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from invite_app.db import session, transaction
from invite_app.models import Organization, OutboxMessage, User
from invite_app.models.types import now
from invite_app.services import delivery, invitations
from invite_app.services.accounts import Purpose, links
from invite_app.services.delivery import attempts, queries
from tests.support.factories import Acme, configure, invite, make_api_key, make_organization
from tests.support.mail import SmtpServer


@pytest.fixture
def acme(make_app: Callable[..., Flask], smtp: SmtpServer) -> Iterator[Acme]:
    app = make_app(**smtp.environ, INVITE_MAIL_DELIVERY="queued", INVITE_MAIL_TIMEOUT="10")
    with app.app_context():
        yield make_organization()


def queue_each_kind(acme: Acme) -> None:
    configure(acme, allowed_origins=["https://app.example"])
    invite(acme, given_name="Ana", workspace_ids=list(acme.workspaces), note="Hello")
    invite(acme, "bo@guest.example", by=make_api_key(acme).actor, app_url="https://app.example")
    about = invite(acme, "cy@guest.example", by=acme.admin.actor)
    with transaction() as writing:
        user, there = writing.get_one(User, acme.admin.id), writing.get_one(Organization, acme.id)
        for kind in ("added", "removed"):
            delivery.enqueue_notification(kind, user, organization=there)
        for kind in ("declined", "asked"):
            delivery.enqueue_notification(kind, user, organization=there, about=about)
        for purpose in (Purpose.RESET, Purpose.ADDRESS):
            delivery.enqueue_notification(purpose, user, link=links.add(user, purpose, email="new@acme.example"))
        for kind in ("signed_out", "password_changed", "address_changed"):
            delivery.enqueue_notification(kind, user, email="old@acme.example")


def test_every_kind_matches_what_the_session_reads(acme: Acme) -> None:
    queue_each_kind(acme)
    claimed = delivery.claim(20)
    assert {row.kind for row in claimed} == set(attempts.BUILDERS)
    read = {row.id: row for row in session().scalars(queries.with_relations())}
    assert {row.id: attempts.BUILDERS[row.kind](row) for row in claimed} == {
        row_id: attempts.BUILDERS[row.kind](row) for row_id, row in read.items()
    }
    assert {(row.lease, row.next_attempt_at) for row in claimed} == {
        (row.lease, row.next_attempt_at) for row in read.values()
    }


def test_messages_are_claimed_in_queue_order(acme: Acme) -> None:
    queued = [invite(acme, f"ana{number}@guest.example").id for number in range(5)]
    assert [row.invitation_id for row in delivery.claim(3) + delivery.claim(3)] == queued


def test_oldest_due_message_is_first(acme: Acme) -> None:
    *_, last = (invite(acme, f"ana{number}@guest.example").id for number in range(3))
    with transaction() as writing:
        is_last = OutboxMessage.invitation_id == last
        writing.execute(update(OutboxMessage).where(is_last).values(next_attempt_at=now() - timedelta(hours=1)))
    assert [row.invitation_id for row in delivery.claim(1)] == [last]


def test_shared_rows_are_loaded_once(acme: Acme) -> None:
    for number in range(3):
        invite(acme, f"ana{number}@guest.example", workspace_ids=[acme.workspaces[0]])
    held = [row.invitation for row in delivery.claim(3) if row.invitation is not None]
    assert len({id(one.organization) for one in held}) == len({id(one.inviter) for one in held}) == 1
    assert [[workspace.name for workspace in one.workspaces] for one in held] == [["Sales"]] * 3


def test_claimed_messages_are_not_tracked_by_the_session(acme: Acme) -> None:
    sent = invite(acme)
    (row,) = delivery.claim(1)
    assert row.invitation is not None
    row.invitation.given_name = row.invitation.organization.name = "Changed in passing"
    with transaction():
        pass
    assert invitations.get(acme.id, sent.id, by=acme.owner.actor).given_name == ""
