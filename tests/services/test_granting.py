"""Nobody assigns permissions they lack, or manages members with more permissions."""

from collections.abc import Callable

import pytest

from invite_app.access import Actor, authorize
from invite_app.errors import CannotGrantRole, CannotManageMember, LastOwner, PermissionDenied, Unauthenticated
from invite_app.models.roles import PERMISSIONS
from invite_app.services import api_keys, invitations, members, roles
from invite_app.services.invitations import Changes
from tests.support.factories import (
    OPERATOR,
    Acme,
    Person,
    add_member,
    invite,
    make_api_key,
    make_member,
    make_person,
    make_role,
)

RECRUITER = ["invitations:write", "members:read", "members:write", "roles:write", "api_keys:write"]


@pytest.fixture
def recruiter(acme: Acme) -> Person:
    """Create a member whose custom role can invite and manage members, but not read the audit log."""
    make_role(acme, "Recruiter", RECRUITER)
    make_role(acme, "Auditor", ["audit:read"])
    return make_member(acme, "recruiter@acme.example", "recruiter")


def granting(action: str, acme: Acme, role: str) -> Callable[[Actor], object]:
    """Return the ways of assigning a role."""
    match action:
        case "invite":
            return lambda by: invite(acme, "new@guest.example", role, by=by)
        case "edit":
            pending = invite(acme, "pending@guest.example")
            return lambda by: invitations.edit(acme.id, pending.id, Changes(role=role), by=by)
        case "add":
            newcomer = make_person("newcomer@guest.example")
            return lambda by: members.add(acme.id, newcomer.id, role, by=by)
        case "promote":
            return lambda by: members.change_role(acme.id, acme.member.id, role, by=by)
        case _:
            return lambda by: api_keys.create(acme.id, name="x", role=role, by=by, user_id=acme.member.id)


@pytest.mark.parametrize("action", ["invite", "edit", "add", "promote", "key"])
class TestGranting:
    def test_permissions_the_admin_lacks_are_refused(self, acme: Acme, action: str) -> None:
        grant = granting(action, acme, "owner")
        key = make_api_key(acme, "admin")
        for by in (acme.admin.actor, key.actor, make_api_key(acme, "owner", user=acme.admin).actor):
            with pytest.raises(CannotGrantRole) as error:
                grant(by)
            assert error.value.missing == ("organization:write",)

    def test_permissions_a_custom_role_lacks_are_refused(self, acme: Acme, recruiter: Person, action: str) -> None:
        grant = granting(action, acme, "auditor")
        keys = make_api_key(acme, "recruiter"), make_api_key(acme, "owner", user=recruiter)
        for by in (recruiter.actor, *(key.actor for key in keys)):
            with pytest.raises(CannotGrantRole) as error:
                grant(by)
            assert (error.value.role, error.value.missing) == ("Auditor", ("audit:read",))

    def test_held_permissions_are_assigned(self, acme: Acme, recruiter: Person, action: str) -> None:
        assert granting(action, acme, "recruiter")(recruiter.actor)

    def test_all_permissions_do_not_make_an_owner(self, acme: Acme, action: str) -> None:
        make_role(acme, "Deputy", PERMISSIONS)
        deputy = make_member(acme, "deputy@acme.example", "deputy")
        with pytest.raises(CannotGrantRole):
            granting(action, acme, "owner")(deputy.actor)


class TestRoles:
    def test_cannot_be_created_or_changed_beyond_ones_own(self, acme: Acme, recruiter: Person) -> None:
        by = recruiter.actor
        for action in (
            lambda: roles.create(acme.id, name="Spy", permissions=["audit:read"], by=by),
            lambda: roles.update_role(acme.id, "recruiter", permissions=["audit:read"], by=by),
            lambda: roles.update_role(acme.id, "auditor", permissions=["members:read"], by=by),
            lambda: roles.delete(acme.id, "auditor", by=by),
        ):
            with pytest.raises(CannotGrantRole):
                action()
        assert roles.create(acme.id, name="Reader", permissions=["members:read"], by=by).name == "Reader"

    def test_deletion_leaves_nobody_with_more_permissions(self, acme: Acme, recruiter: Person) -> None:
        make_role(acme, "Reader", ["members:read"])
        make_member(acme, "reader@acme.example", "reader")
        with pytest.raises(CannotGrantRole):
            roles.delete(acme.id, "reader", replacement="admin", by=recruiter.actor)


def touching(acme: Acme, target: Person) -> list[Callable[[Actor], object]]:
    """Return the ways of changing another member; the removal is the last."""
    key = make_api_key(acme, "member", user=target)
    return [
        lambda by: api_keys.revoke(acme.id, key.id, by=by),
        lambda by: api_keys.create(acme.id, name="x", role="member", user_id=target.id, by=by),
        lambda by: members.change(acme.id, target.id, workspace_ids=[], by=by),
        lambda by: members.change_metadata(acme.id, target.id, public={"a": 1}, by=by),
        lambda by: members.change_role(acme.id, target.id, "member", by=by),
        lambda by: members.remove(acme.id, target.id, by=by),
    ]


class TestManaging:
    def test_member_with_more_permissions_is_refused(self, acme: Acme, recruiter: Person) -> None:
        keys = make_api_key(acme, "admin").actor, make_api_key(acme, "owner", user=acme.admin).actor
        for action in touching(acme, acme.owner):
            for by in (acme.admin.actor, recruiter.actor, *keys):
                with pytest.raises(CannotManageMember):
                    action(by)
        for action in touching(acme, acme.admin):
            with pytest.raises(CannotManageMember):
                action(recruiter.actor)

    def test_owner_is_managed_only_by_owners(self, acme: Acme) -> None:
        make_role(acme, "Deputy", PERMISSIONS)
        deputy = make_member(acme, "deputy@acme.example", "deputy")
        make_member(acme, "second@acme.example", "owner")
        for action in touching(acme, acme.owner):
            with pytest.raises(CannotManageMember):
                action(deputy.actor)

    def test_member_with_equal_permissions_is_accepted(self, acme: Acme) -> None:
        peer = make_member(acme, "peer@acme.example", "admin")
        for action in touching(acme, peer):
            action(acme.admin.actor)

    def test_another_owner_is_managed_only_by_owners(self, acme: Acme) -> None:
        peer = make_member(acme, "peer@acme.example", "owner")
        for action in touching(acme, peer):
            action(acme.owner.actor)


class TestKeys:
    def test_have_the_permissions_of_both_role_and_user(self, acme: Acme) -> None:
        key = make_api_key(acme, "admin", user=acme.member)
        assert authorize(key.actor, acme.id).permissions == {"members:read"}
        members.change_role(acme.id, acme.member.id, "owner", by=OPERATOR)
        principal = authorize(key.actor, acme.id)
        assert (principal.permissions, principal.is_owner) == ({*PERMISSIONS} - {"organization:write"}, False)

    def test_lose_what_their_role_loses(self, acme: Acme) -> None:
        make_role(acme, "Bot", ["invitations:write", "members:read"])
        key = make_api_key(acme, "bot")
        roles.update_role(acme.id, "bot", permissions=["members:read"], by=OPERATOR)
        with pytest.raises(PermissionDenied):
            invite(acme, by=key.actor)
        roles.delete(acme.id, "bot", by=OPERATOR)
        with pytest.raises(Unauthenticated):
            authorize(key.actor, acme.id)

    def test_are_owners_only_if_both_are(self, acme: Acme) -> None:
        for role, user, is_owner in [
            ("owner", acme.owner, True),
            ("owner", acme.admin, False),
            ("admin", acme.owner, False),
        ]:
            assert authorize(make_api_key(acme, role, user=user).actor, acme.id).is_owner is is_owner

    def test_do_not_limit_their_user(self, acme: Acme) -> None:
        members.offer_transfer(acme.id, acme.member.id, by=acme.owner.actor)
        key = make_api_key(acme, "member", user=acme.member)
        for action in (members.leave, members.accept_transfer, members.decline_transfer):
            for by in (key.actor, OPERATOR):
                with pytest.raises(PermissionDenied):
                    action(acme.id, by=by)
        with pytest.raises(PermissionDenied):
            members.offer_transfer(acme.id, acme.member.id, by=make_api_key(acme, "owner").actor)


class TestLastOwner:
    def test_cannot_be_removed_by_anyone(self, acme: Acme) -> None:
        owner = acme.owner
        actions: list[Callable[[], object]] = [
            lambda: members.leave(acme.id, by=owner.actor),
            lambda: members.remove(acme.id, owner.id, by=owner.actor),
            lambda: members.remove(acme.id, owner.id, by=OPERATOR),
            lambda: members.change_role(acme.id, owner.id, "admin", by=owner.actor),
            lambda: members.change_role(acme.id, owner.id, "member", by=OPERATOR),
        ]
        for action in actions:
            with pytest.raises(LastOwner):
                action()

    def test_may_leave_once_there_is_another(self, acme: Acme) -> None:
        second = make_member(acme, "second@acme.example", "owner")
        members.leave(acme.id, by=acme.owner.actor)
        with pytest.raises(LastOwner):
            members.leave(acme.id, by=second.actor)

    def test_may_become_owner_again(self, acme: Acme) -> None:
        assert members.change_role(acme.id, acme.owner.id, "OWNER", by=acme.owner.actor).role.is_owner

    def test_is_determined_per_organization(self, acme: Acme, globex: Acme) -> None:
        add_member(acme, globex.owner, role="owner")
        members.leave(acme.id, by=globex.owner.actor)
        with pytest.raises(LastOwner):
            members.leave(globex.id, by=globex.owner.actor)

    def test_transfers_when_the_new_owner_agrees(self, acme: Acme) -> None:
        members.offer_transfer(acme.id, acme.member.id, by=acme.owner.actor)
        assert members.get(acme.id, acme.member.id, by=OPERATOR).role.key == "member"
        members.accept_transfer(acme.id, by=acme.member.actor)
        assert [members.get(acme.id, who.id, by=OPERATOR).role.key for who in (acme.member, acme.owner)] == [
            "owner",
            "admin",
        ]
