"""Inviting several people in one transaction: all of them, or nobody."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from invite_app.db import session
from invite_app.errors import (
    AlreadyMember,
    CannotGrantRole,
    DomainError,
    DuplicateRow,
    InvalidEmail,
    InvitationPending,
    PermissionDenied,
    PlanUpgradeRequired,
    RateLimited,
    RoleNotFound,
    SeatLimitReached,
    TooManyRows,
)
from invite_app.models import AuditEvent, Invitation, Organization, OutboxMessage
from invite_app.services import invitations
from invite_app.services.invitations import Draft
from invite_app.services.rate_limits import limits, memory
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, configure, invite, make_organization
from tests.support.mail import SmtpServer

ANA, BO = Draft("ana@guest.example", "member"), Draft("bo@guest.example", "admin")


def pending(acme: Acme) -> tuple[int, int]:
    session().rollback()
    counted = session().scalar(select(func.count()).select_from(Invitation)) or 0
    return counted, session().get_one(Organization, acme.id).pending_count


def test_everyone_is_invited_in_order(acme: Acme) -> None:
    sent = invitations.send_all_or_none(acme.id, [ANA, BO], by=acme.owner.actor)
    assert [(row.email, row.role_name, row.state) for row in sent] == [
        ("ana@guest.example", "Member", "pending"),
        ("bo@guest.example", "Admin", "pending"),
    ]
    assert pending(acme) == (2, 2)
    events = session().scalars(select(AuditEvent.target_name).where(AuditEvent.action == "invitation.sent"))
    assert set(events) == {"ana@guest.example", "bo@guest.example"}


@on_sqlite
def test_list_counts_once_towards_the_limits(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.RULES, "invitations by actor", memory.Rule(1, limits.HOUR))
    with make_app(INVITE_RATE_LIMITS="on").app_context():
        acme = make_organization()
        invitations.send_all_or_none(acme.id, [ANA, BO], by=acme.owner.actor)
        with pytest.raises(RateLimited):
            invitations.send_all_or_none(acme.id, [Draft("cy@guest.example", "member")], by=acme.owner.actor)
        assert pending(acme) == (2, 2)


def test_empty_list_invites_nobody(acme: Acme) -> None:
    assert invitations.send_all_or_none(acme.id, [], by=acme.owner.actor) == []


def test_only_requested_mails_are_queued(smtp_app: Flask, smtp: SmtpServer) -> None:
    with smtp_app.app_context():
        acme = make_organization()
        silent = Draft("cy@guest.example", "member", notify=False)
        sent = invitations.send_all_or_none(acme.id, [ANA, silent], by=acme.owner.actor)
        rows = list(session().scalars(select(OutboxMessage)))
        assert [(row.invitation_id, row.state, row.lease) for row in rows] == [(sent[0].id, "queued", None)]
        assert sent[1].message is None
    assert smtp.messages == []


WRONG: list[tuple[Draft, type[DomainError]]] = [
    (Draft("nonsense", "member"), InvalidEmail),
    (Draft("cy@guest.example", "boss"), RoleNotFound),
    (Draft("cy@guest.example", "owner"), CannotGrantRole),
    (Draft("member@acme.example", "member"), AlreadyMember),
    (Draft("invited@guest.example", "member"), InvitationPending),
    (Draft("ANA@guest.example", "member"), DuplicateRow),
]


@pytest.mark.parametrize(("draft", "error"), WRONG, ids=lambda value: getattr(value, "__name__", ""))
def test_one_invalid_draft_blocks_all(acme: Acme, draft: Draft, error: type[DomainError]) -> None:
    invite(acme, "invited@guest.example")
    with pytest.raises(error):
        invitations.send_all_or_none(acme.id, [ANA, draft], by=acme.admin.actor)
    assert pending(acme) == (1, 1)


def test_one_seat_is_not_enough_for_two(acme: Acme) -> None:
    configure(acme, seat_limit=4)
    with pytest.raises(SeatLimitReached):
        invitations.send_all_or_none(acme.id, [ANA, BO], by=acme.owner.actor)
    assert pending(acme) == (0, 0)


def test_repeated_address_names_the_first(acme: Acme) -> None:
    with pytest.raises(DuplicateRow) as error:
        invitations.send_all_or_none(acme.id, [BO, ANA, Draft(" Ana@Guest.example", "admin")], by=acme.owner.actor)
    assert (error.value.email, error.value.first_row) == ("ana@guest.example", 2)


@pytest.mark.parametrize(
    ("settings", "count", "actor", "error"),
    [
        ({}, 11, "owner", TooManyRows),
        ({}, 11, "member", PermissionDenied),
        ({"plan": "free"}, 1, "owner", PlanUpgradeRequired),
    ],
)
def test_shared_problems_are_reported(
    acme: Acme, settings: dict[str, Any], count: int, actor: str, error: type[DomainError]
) -> None:
    configure(acme, **settings)
    rows = [Draft(f"guest-{row}@guest.example", "member") for row in range(count)]
    with pytest.raises(error):
        invitations.send_all_or_none(acme.id, rows, by=getattr(acme, actor).actor)
    assert pending(acme) == (0, 0)
