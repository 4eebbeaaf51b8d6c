"""Invitations that a key sends in a member's name depend on the permissions of both."""

from uuid import UUID

import pytest

from invite_app.access import Actor
from invite_app.errors import CannotGrantRole, InviterNotAllowed, MembershipNotFound, PermissionDenied
from invite_app.models import Invitation
from invite_app.services import api_keys, invitations, inviter_rights, members
from invite_app.services.invitations import NewProfile
from tests.support.factories import (
    OPERATOR,
    Acme,
    Person,
    invite,
    make_api_key,
    make_member,
    make_organization,
    reread,
    token_of,
)

PROFILE = NewProfile("Ana", "Guest", "a long enough password")


def in_the_name_of(acme: Acme, inviter: Person | UUID | str, *, by: Actor, role: str = "member") -> Invitation:
    inviter_id = inviter.id if isinstance(inviter, Person) else inviter
    return invite(acme, role=role, by=by, inviter_id=inviter_id)


def accept(invitation: Invitation) -> None:
    invitations.accept_with_new_account(token_of(invitation), PROFILE)


def test_invitee_sees_the_member_log_the_key(acme: Acme) -> None:
    key = make_api_key(acme)
    sent = in_the_name_of(acme, acme.admin, by=key.actor)
    found = invitations.get(acme.id, sent.id, by=acme.owner.actor)
    assert (found.inviter_id, found.inviter_name, found.inviter.email) == (
        acme.admin.id,
        "Adam Admin",
        "admin@acme.example",
    )
    assert (found.inviter_kind, found.inviter_key_id) == ("key", key.id)
    accept(sent)
    assert reread(sent).state == "accepted"


def test_operator_may_name_a_member(acme: Acme) -> None:
    sent = in_the_name_of(acme, str(acme.admin.id), by=OPERATOR)
    assert (sent.inviter_kind, sent.inviter_id) == ("person", acme.admin.id)


@pytest.mark.parametrize("stranger", ["nonsense", "\0", UUID(int=7), "globex"])
def test_only_a_member_can_be_named(acme: Acme, stranger: UUID | str) -> None:
    if stranger == "globex":
        stranger = make_organization("Globex").owner.id
    with pytest.raises(MembershipNotFound):
        in_the_name_of(acme, stranger, by=make_api_key(acme).actor)


def test_member_needs_permission_to_invite(acme: Acme) -> None:
    with pytest.raises(PermissionDenied):
        in_the_name_of(acme, acme.member, by=make_api_key(acme).actor)


def test_member_needs_permission_to_assign_the_role(acme: Acme) -> None:
    with pytest.raises(CannotGrantRole):
        in_the_name_of(acme, acme.admin, by=make_api_key(acme).actor, role="owner")


def test_weak_key_gains_nothing_from_the_owner(acme: Acme) -> None:
    key = make_api_key(acme, "admin")
    with pytest.raises(CannotGrantRole):
        in_the_name_of(acme, acme.owner, by=key.actor, role="owner")


def test_people_invite_in_their_own_name_only(acme: Acme) -> None:
    with pytest.raises(PermissionDenied):
        in_the_name_of(acme, acme.owner, by=acme.admin.actor)
    assert in_the_name_of(acme, acme.admin, by=acme.admin.actor).inviter_id == acme.admin.id


def test_it_is_blocked_when_the_member_loses_permission(acme: Acme) -> None:
    sent = in_the_name_of(acme, acme.admin, by=make_api_key(acme).actor)
    members.change_role(acme.id, acme.admin.id, "member", by=acme.owner.actor)
    assert reread(sent).inviter_lost_right
    with pytest.raises(InviterNotAllowed):
        accept(sent)


def test_it_is_blocked_when_the_key_is_revoked(acme: Acme) -> None:
    key = make_api_key(acme)
    sent = in_the_name_of(acme, acme.admin, by=key.actor)
    api_keys.revoke(acme.id, key.id, by=acme.owner.actor)
    assert reread(sent).inviter_lost_right
    with pytest.raises(InviterNotAllowed):
        accept(sent)


def test_it_is_blocked_when_the_keys_user_leaves(acme: Acme) -> None:
    second = make_member(acme, "second@acme.example", "owner")
    sent = in_the_name_of(acme, acme.admin, by=make_api_key(acme, user=second).actor)
    members.change_role(acme.id, second.id, "member", by=acme.owner.actor)
    assert reread(sent).inviter_lost_right
    with pytest.raises(InviterNotAllowed):
        accept(sent)


def test_revoker_can_be_named_too(acme: Acme) -> None:
    key = make_api_key(acme)
    inviter_rights.check_inviter(acme.id, None, by=key.actor)
    inviter_rights.check_inviter(acme.id, acme.admin.id, by=key.actor)
    with pytest.raises(PermissionDenied):
        inviter_rights.check_inviter(acme.id, acme.member.id, by=key.actor)
