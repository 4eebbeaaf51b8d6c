"""Seats: members and pending invitations together never exceed the limit."""

from datetime import timedelta

import pytest

from invite_app.db import session
from invite_app.errors import InvitationPending, SeatLimitReached
from invite_app.models import Organization
from invite_app.services import invitations, members, organizations
from invite_app.services.organizations import Changes
from tests.support.factories import (
    OPERATOR,
    PASSWORD,
    Acme,
    configure,
    expire,
    invite,
    make_person,
    token_of,
)

ANA = invitations.NewProfile("Ana", "Guest", PASSWORD)


@pytest.fixture
def five_seats(acme: Acme) -> Acme:
    """Limit the organization to five seats, three of which members use."""
    configure(acme, seat_limit=5)
    return acme


def counts(acme: Acme) -> tuple[int, int]:
    session().expire_all()
    organization = session().get_one(Organization, acme.id)
    return organization.members_count, organization.pending_count


def test_members_and_pending_invitations_fill_them(five_seats: Acme) -> None:
    invite(five_seats, "a@guest.example")
    invite(five_seats, "b@guest.example")
    with pytest.raises(SeatLimitReached) as error:
        invite(five_seats, "c@guest.example")
    assert error.value.limit == 5
    assert counts(five_seats) == (3, 2)


def test_pending_invitation_is_reported_before_missing_seats(five_seats: Acme) -> None:
    invite(five_seats, "a@guest.example")
    invite(five_seats, "b@guest.example")
    with pytest.raises(InvitationPending):
        invite(five_seats, "a@guest.example")


def test_overdue_invitation_releases_its_seat(five_seats: Acme) -> None:
    first = invite(five_seats, "a@guest.example")
    invite(five_seats, "b@guest.example")
    expire(first, timedelta())
    assert invite(five_seats, "c@guest.example").state == "pending"
    assert counts(five_seats) == (3, 2)


@pytest.mark.parametrize("ending", ["revoke", "decline"])
def test_closed_invitation_releases_its_seat(five_seats: Acme, ending: str) -> None:
    sent = invite(five_seats, "a@guest.example")
    invite(five_seats, "b@guest.example")
    if ending == "revoke":
        invitations.revoke(five_seats.id, sent.id, by=five_seats.owner.actor)
    else:
        invitations.decline(token_of(sent))
    assert invite(five_seats, "c@guest.example").state == "pending"


def test_accepting_uses_the_last_reserved_seat_once(five_seats: Acme) -> None:
    first, second = invite(five_seats, "a@guest.example"), invite(five_seats, "b@guest.example")
    invitations.accept_with_new_account(token_of(first), ANA)
    invitations.accept_with_new_account(token_of(second), ANA)
    assert counts(five_seats) == (5, 0)
    with pytest.raises(SeatLimitReached):
        invite(five_seats, "c@guest.example")


def test_removed_member_releases_a_seat(five_seats: Acme) -> None:
    configure(five_seats, seat_limit=3)
    with pytest.raises(SeatLimitReached):
        invite(five_seats)
    members.remove(five_seats.id, five_seats.member.id, by=five_seats.owner.actor)
    assert invite(five_seats).state == "pending"


def test_lowering_the_limit_only_blocks_new_invitations(five_seats: Acme) -> None:
    sent = invite(five_seats)
    organizations.change(five_seats.id, Changes(seat_limit=1), by=OPERATOR)
    assert counts(five_seats) == (3, 1)
    with pytest.raises(SeatLimitReached):
        invite(five_seats, "b@guest.example")
    assert invitations.resend(five_seats.id, sent.id, by=five_seats.owner.actor).state == "pending"


def test_limit_below_members_blocks_accepting(five_seats: Acme) -> None:
    sent = invite(five_seats)
    organizations.change(five_seats.id, Changes(seat_limit=3), by=OPERATOR)
    with pytest.raises(SeatLimitReached):
        invitations.accept_with_new_account(token_of(sent), ANA)
    assert isinstance(invitations.open_link(token_of(sent)).obstacle, SeatLimitReached)
    organizations.change(five_seats.id, Changes(seat_limit=4), by=OPERATOR)
    invitations.accept_with_new_account(token_of(sent), ANA)
    assert counts(five_seats) == (4, 0)


def test_directly_added_member_takes_a_seat(five_seats: Acme) -> None:
    invite(five_seats, "a@guest.example")
    members.add(five_seats.id, make_person("b@guest.example").id, "member", by=five_seats.owner.actor)
    with pytest.raises(SeatLimitReached):
        members.add(five_seats.id, make_person("c@guest.example").id, "member", by=five_seats.owner.actor)
    assert counts(five_seats) == (4, 1)


def test_directly_added_member_uses_their_invitations_seat(five_seats: Acme) -> None:
    invite(five_seats, "a@guest.example")
    invite(five_seats, "b@guest.example")
    members.add(five_seats.id, make_person("b@guest.example").id, "member", by=five_seats.owner.actor)
    assert counts(five_seats) == (4, 1)


def test_missing_limit_is_unlimited(acme: Acme) -> None:
    organizations.change(acme.id, Changes(seat_limit=None), by=OPERATOR)
    for number in range(5):
        invite(acme, f"a{number}@guest.example")
    assert counts(acme) == (3, 5)
