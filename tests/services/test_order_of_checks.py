"""Of several errors, the first in this order is raised:

organization, permission, values, escalation, plan, already a member, pending, seats
"""

from itertools import combinations
from typing import Any

import pytest

from invite_app.access import Actor
from invite_app.errors import (
    AlreadyMember,
    CannotGrantRole,
    DomainError,
    DomainNotAllowed,
    InvalidEmail,
    InvalidName,
    InvitationPending,
    OrganizationNotFound,
    PermissionDenied,
    PlanUpgradeRequired,
    RoleNotFound,
    SeatLimitReached,
    Unauthenticated,
    WorkspaceNotFound,
)
from invite_app.services import api_keys
from tests.support.factories import OPERATOR, Acme, configure, invite, make_api_key

IN_ORDER: list[type[DomainError]] = [
    Unauthenticated,
    OrganizationNotFound,
    PermissionDenied,
    InvalidEmail,
    DomainNotAllowed,
    InvalidName,
    RoleNotFound,
    WorkspaceNotFound,
    CannotGrantRole,
    PlanUpgradeRequired,
    AlreadyMember,
    InvitationPending,
    SeatLimitReached,
]
# Errors that exclude each other, since they concern the same value.
EXCLUSIVE = [
    {Unauthenticated, OrganizationNotFound, PermissionDenied},
    {InvalidEmail, DomainNotAllowed, AlreadyMember, InvitationPending},
    {RoleNotFound, CannotGrantRole},
]

PAIRS = [
    pair for pair in combinations(IN_ORDER, 2) if not any(set(pair) <= alternatives for alternatives in EXCLUSIVE)
]


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda error: error.__name__)
def test_earlier_of_two_errors_is_raised(
    acme: Acme, globex: Acme, first: type[DomainError], second: type[DomainError]
) -> None:
    wrong = {first, second}
    invite(acme, "pending@acme.example")
    who = actor(acme, globex, wrong)
    configure(acme, **settings(wrong))
    with pytest.raises(DomainError) as refused:
        invite(acme, by=who, **draft(wrong))
    assert type(refused.value) is first


@pytest.mark.parametrize("only", IN_ORDER, ids=lambda error: error.__name__)
def test_each_error_is_raised_alone(acme: Acme, globex: Acme, only: type[DomainError]) -> None:
    invite(acme, "pending@acme.example")
    who = actor(acme, globex, {only})
    configure(acme, **settings({only}))
    with pytest.raises(DomainError) as refused:
        invite(acme, by=who, **draft({only}))
    assert type(refused.value) is only


def actor(acme: Acme, globex: Acme, wrong: set[type[DomainError]]) -> Actor:
    if Unauthenticated in wrong:
        key = make_api_key(acme, "admin")
        api_keys.revoke(acme.id, key.id, by=OPERATOR)
        return key.actor
    if OrganizationNotFound in wrong:
        return globex.admin.actor
    return (acme.member if PermissionDenied in wrong else acme.admin).actor


def settings(wrong: set[type[DomainError]]) -> dict[str, Any]:
    return {
        "allowed_domains": ["acme.example"],
        "plan": "free" if PlanUpgradeRequired in wrong else "paid",
        "seat_limit": 4 if SeatLimitReached in wrong else None,
    }


def draft(wrong: set[type[DomainError]]) -> dict[str, Any]:
    addresses = {
        InvalidEmail: "straße@acme.example",
        DomainNotAllowed: "ana@guest.example",
        AlreadyMember: "member@acme.example",
        InvitationPending: "pending@acme.example",
    }
    roles = {RoleNotFound: "boss", CannotGrantRole: "owner"}
    return {
        "email": next((addresses[error] for error in addresses if error in wrong), "ana@acme.example"),
        "role": next((roles[error] for error in roles if error in wrong), "member"),
        "given_name": "" if InvalidName in wrong else None,
        "workspace_ids": ["nonsense"] if WorkspaceNotFound in wrong else [],
    }
