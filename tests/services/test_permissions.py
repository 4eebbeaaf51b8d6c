"""A table of actions and actors: the specification of the permissions.

Each action names its permission ("": any member), each actor its permissions. Every combination is tried; what is not
allowed raises the same error everywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import time_machine

from invite_app.access import Actor
from invite_app.errors import DomainError, OrganizationNotFound, PermissionDenied, Unauthenticated
from invite_app.models.roles import BUILT_IN, PERMISSIONS
from invite_app.models.types import now
from invite_app.services import api_keys, audit, invitations, members, organizations, roles, workspaces
from invite_app.services.api_keys import authentication
from invite_app.services.invitations import Changes, Draft
from tests.support.factories import (
    OPERATOR,
    Acme,
    invite,
    make_api_key,
    make_member,
    make_person,
    make_role,
)

NOWHERE = UUID(int=7)
DRAFT = Draft("ana@guest.example", "member")
FOREVER = organizations.Changes(name="Renamed")

BulkAction = Callable[[UUID, Actor], object]
ACTIONS: dict[str, tuple[str, BulkAction]] = {
    "list invitations": ("invitations:read", lambda org, by: invitations.list_page(org, by=by)),
    "count invitations": ("invitations:read", lambda org, by: invitations.counts(org, by=by)),
    "see an invitation": ("invitations:read", lambda org, by: invitations.get(org, NOWHERE, by=by)),
    "invite": ("invitations:write", lambda org, by: invitations.send(org, DRAFT, by=by)),
    "resend": ("invitations:write", lambda org, by: invitations.resend(org, NOWHERE, by=by)),
    "revoke": ("invitations:write", lambda org, by: invitations.revoke(org, NOWHERE, by=by)),
    "extend": ("invitations:write", lambda org, by: invitations.extend(org, NOWHERE, by=by)),
    "edit": ("invitations:write", lambda org, by: invitations.edit(org, NOWHERE, Changes(), by=by)),
    "take over": ("invitations:write", lambda org, by: invitations.take_over(org, NOWHERE, by=by)),
    "copy the link": ("invitations:write", lambda org, by: invitations.copy_link(org, NOWHERE, by=by)),
    "list members": ("members:read", lambda org, by: members.list_page(org, by=by)),
    "see a member": ("members:read", lambda org, by: members.get(org, NOWHERE, by=by)),
    "add a member": ("members:write", lambda org, by: members.add(org, NOWHERE, "member", by=by)),
    "change a role": ("members:write", lambda org, by: members.change_role(org, NOWHERE, "member", by=by)),
    "change workspaces": ("members:write", lambda org, by: members.change(org, NOWHERE, workspace_ids=[], by=by)),
    "change metadata": ("members:write", lambda org, by: members.change_metadata(org, NOWHERE, by=by)),
    "remove a member": ("members:write", lambda org, by: members.remove(org, NOWHERE, by=by)),
    "make a role": ("roles:write", lambda org, by: roles.create(org, name="New", permissions=[], by=by)),
    "edit a role": ("roles:write", lambda org, by: roles.update_role(org, "nothing", by=by)),
    "delete a role": ("roles:write", lambda org, by: roles.delete(org, "nothing", by=by)),
    "make a workspace": ("workspaces:write", lambda org, by: workspaces.create(org, "New", by=by)),
    "rename a workspace": ("workspaces:write", lambda org, by: workspaces.rename(org, NOWHERE, "New", by=by)),
    "delete a workspace": ("workspaces:write", lambda org, by: workspaces.delete(org, NOWHERE, by=by)),
    "list keys": ("api_keys:write", lambda org, by: api_keys.list_all(org, by=by)),
    "make a key": ("api_keys:write", lambda org, by: api_keys.create(org, name="x", role="nothing", by=by)),
    "revoke a key": ("api_keys:write", lambda org, by: api_keys.revoke(org, NOWHERE, by=by)),
    "read the audit log": ("audit:read", lambda org, by: audit.list_page(org, by=by)),
    "change settings": ("organization:write", lambda org, by: organizations.change(org, FOREVER, by=by)),
    "list roles": ("", lambda org, by: roles.list_all(org, by=by)),
    "list workspaces": ("", lambda org, by: workspaces.list_all(org, by=by)),
    "see the organization": ("", lambda org, by: organizations.get(org, by=by)),
    "see one's own place": ("", lambda org, by: by is OPERATOR or members.get_own(org, by=by)),
    "delete the organization": ("organization:write", lambda org, by: organizations.delete(org, by=by)),
}
EVERYTHING = set(PERMISSIONS)


@dataclass(frozen=True)
class Someone:
    """A function that creates an actor, and the permissions it should have."""

    make: Callable[[Acme], Actor]
    can: set[str]


ACTORS: dict[str, Someone] = {
    "operator": Someone(lambda _: OPERATOR, EVERYTHING),
    "owner": Someone(lambda acme: acme.owner.actor, EVERYTHING),
    "admin": Someone(lambda acme: acme.admin.actor, set(BUILT_IN["admin"])),
    "member": Someone(lambda acme: acme.member.actor, {"members:read"}),
    "owner's owner key": Someone(lambda acme: make_api_key(acme, "owner").actor, EVERYTHING),
    "owner's member key": Someone(lambda acme: make_api_key(acme, "member").actor, {"members:read"}),
    "admin's owner key": Someone(
        lambda acme: make_api_key(acme, "owner", user=acme.admin).actor, set(BUILT_IN["admin"])
    ),
    "member's owner key": Someone(lambda acme: make_api_key(acme, "owner", user=acme.member).actor, {"members:read"}),
    **{
        f"only {permission}": Someone(
            lambda acme, permission=permission: _holder_of(acme, [permission]),  # type: ignore[misc]
            {permission},
        )
        for permission in PERMISSIONS
    },
    "nothing at all": Someone(lambda acme: _holder_of(acme, []), set()),
}


def _holder_of(acme: Acme, permissions: list[str]) -> Actor:
    make_role(acme, "Custom", permissions)
    return make_member(acme, "custom@acme.example", "custom").actor


@pytest.mark.parametrize("who", ACTORS)
def test_actor_does_exactly_what_its_permissions_allow(acme: Acme, who: str) -> None:
    actor = ACTORS[who].make(acme)
    for name, (needed, action) in ACTIONS.items():
        refused = None
        try:
            action(acme.id, actor)
        except PermissionDenied as error:
            refused = error.permission
        except DomainError:
            pass  # the permission check passed
        allowed = not needed or needed in ACTORS[who].can
        assert refused == (None if allowed else needed), f"{who}: {name}"


STRANGERS: dict[str, tuple[Callable[[Acme, Acme], Actor], type[DomainError]]] = {
    "owner of another organization": (lambda _, globex: globex.owner.actor, OrganizationNotFound),
    "owner key of another organization": (
        lambda _, globex: make_api_key(globex, "owner").actor,
        OrganizationNotFound,
    ),
    "somebody without any": (lambda *_: make_person("ana@guest.example").actor, OrganizationNotFound),
    "somebody who was removed": (lambda acme, _: _removed(acme), OrganizationNotFound),
    "key of somebody who was removed": (lambda acme, _: _key_of_removed(acme), Unauthenticated),
    "revoked key": (lambda acme, _: _revoked_key(acme), Unauthenticated),
    "expired key": (lambda acme, _: _expired_key(acme), Unauthenticated),
}


def _removed(acme: Acme) -> Actor:
    person = make_member(acme, "gone@acme.example", "owner")
    members.remove(acme.id, person.id, by=OPERATOR)
    return person.actor


def _key_of_removed(acme: Acme) -> Actor:
    person = make_member(acme, "gone@acme.example", "owner")
    key = make_api_key(acme, "owner", user=person)
    members.remove(acme.id, person.id, by=OPERATOR)
    return key.actor


def _revoked_key(acme: Acme) -> Actor:
    key = make_api_key(acme, "owner")
    api_keys.revoke(acme.id, key.id, by=OPERATOR)
    return key.actor


def _expired_key(acme: Acme) -> Actor:
    with time_machine.travel(now() - timedelta(days=2), tick=False):
        return make_api_key(acme, "owner", expires_at=now() + timedelta(days=1)).actor


@pytest.mark.parametrize("who", STRANGERS)
def test_actor_without_membership_does_nothing(acme: Acme, globex: Acme, who: str) -> None:
    make, expected = STRANGERS[who]
    actor = make(acme, globex)
    for name, (_, action) in ACTIONS.items():
        with pytest.raises(DomainError) as refused:
            action(acme.id, actor)
        assert type(refused.value) is expected, f"{who}: {name}"


def test_unknown_organization_looks_like_a_foreign_one(acme: Acme, globex: Acme) -> None:
    for organization_id in (globex.id, uuid4()):
        for _, action in ACTIONS.values():
            with pytest.raises(OrganizationNotFound) as error:
                action(organization_id, acme.owner.actor)
            assert str(error.value) == "There is no such organization."


def test_live_key_records_use_revoked_key_fails(acme: Acme) -> None:
    key = make_api_key(acme, "admin")
    assert authentication.authenticate(key.secret, ip=None) == key.actor
    (listed,) = api_keys.list_all(acme.id, by=acme.owner.actor)
    assert listed.last_used_at is not None
    assert listed.secret_hash != key.secret
    for wrong in ("", "sk_", key.secret[:-1], key.secret + "x", listed.secret_hash, "\x00", "\ud800", "é" * 5000):
        with pytest.raises(Unauthenticated):
            authentication.authenticate(wrong, ip=None)
    api_keys.revoke(acme.id, key.id, by=acme.admin.actor if listed.user_id == acme.admin.id else acme.owner.actor)
    with pytest.raises(Unauthenticated):
        authentication.authenticate(key.secret, ip=None)


def test_demotion_applies_immediately(acme: Acme) -> None:
    invite(acme, "a@guest.example", by=acme.admin.actor)
    members.change_role(acme.id, acme.admin.id, "member", by=acme.owner.actor)
    with pytest.raises(PermissionDenied):
        invite(acme, "b@guest.example", by=acme.admin.actor)
