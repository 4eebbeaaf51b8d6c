"""Rows of another organization can be neither read, changed nor referenced."""

from collections.abc import Callable
from uuid import UUID

import pytest

from invite_app.access import Actor
from invite_app.errors import (
    ApiKeyNotFound,
    DomainError,
    InvitationNotFound,
    MembershipNotFound,
    RoleNotFound,
    WorkspaceNotFound,
)
from invite_app.services import api_keys, audit, invitations, members, roles, workspaces
from invite_app.services.api_keys import authentication
from invite_app.services.invitations import Changes
from tests.support.factories import OPERATOR, Acme, invite, make_api_key, make_role, reread

BulkAction = Callable[[UUID, UUID, Actor], object]

WITH_A_FOREIGN: dict[str, tuple[type[DomainError], list[BulkAction]]] = {
    "invitation": (
        InvitationNotFound,
        [
            lambda org, its, by: invitations.get(org, its, by=by),
            lambda org, its, by: invitations.resend(org, its, by=by),
            lambda org, its, by: invitations.revoke(org, its, by=by),
            lambda org, its, by: invitations.extend(org, its, by=by),
            lambda org, its, by: invitations.edit(org, its, Changes(note="x"), by=by),
            lambda org, its, by: invitations.take_over(org, its, by=by),
            lambda org, its, by: invitations.copy_link(org, its, by=by),
        ],
    ),
    "member": (
        MembershipNotFound,
        [
            lambda org, its, by: members.get(org, its, by=by),
            lambda org, its, by: members.change_role(org, its, "member", by=by),
            lambda org, its, by: members.change(org, its, workspace_ids=[], by=by),
            lambda org, its, by: members.change_metadata(org, its, public={"a": 1}, by=by),
            lambda org, its, by: members.remove(org, its, by=by),
            lambda org, its, by: members.offer_transfer(org, its, by=by),
            lambda org, its, by: api_keys.create(org, name="x", role="member", user_id=its, by=by),
        ],
    ),
    "workspace": (
        WorkspaceNotFound,
        [
            lambda org, its, by: workspaces.rename(org, its, "Mine", by=by),
            lambda org, its, by: workspaces.delete(org, its, by=by),
        ],
    ),
    "key": (ApiKeyNotFound, [lambda org, its, by: api_keys.revoke(org, its, by=by)]),
}


@pytest.mark.parametrize("kind", WITH_A_FOREIGN)
def test_foreign_ids_are_not_found(acme: Acme, globex: Acme, kind: str) -> None:
    theirs = {
        "invitation": invite(globex).id,
        "member": globex.member.id,
        "workspace": globex.workspaces[0],
        "key": make_api_key(globex, "member").id,
    }[kind]
    expected, actions = WITH_A_FOREIGN[kind]
    for number, action in enumerate(actions):
        for by in (acme.owner.actor, make_api_key(acme, "owner").actor):
            if kind == "member" and number == 5 and by != acme.owner.actor:
                continue  # keys cannot transfer ownership
            for given in (theirs, str(theirs), str(theirs).upper()):
                with pytest.raises(expected):
                    action(acme.id, given, by)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["", "nonsense", "\x00", "\ud800", "0" * 32, "{}", "é"])
def test_malformed_ids_are_not_found(acme: Acme, given: str) -> None:
    for expected, actions in WITH_A_FOREIGN.values():
        for action in actions:
            with pytest.raises(expected):
                action(acme.id, given, acme.owner.actor)  # type: ignore[arg-type]


def test_foreign_workspace_cannot_be_assigned(acme: Acme, globex: Acme) -> None:
    mixed = [acme.workspaces[0], globex.workspaces[0]]
    sent = invite(acme)
    for action in (
        lambda: invite(acme, "bo@guest.example", workspace_ids=mixed),
        lambda: invitations.edit(acme.id, sent.id, Changes(workspace_ids=mixed), by=acme.owner.actor),
        lambda: members.change(acme.id, acme.member.id, workspace_ids=mixed, by=OPERATOR),
    ):
        with pytest.raises(WorkspaceNotFound) as error:
            action()
        assert error.value.index == 1


def test_foreign_role_cannot_be_assigned(acme: Acme, globex: Acme) -> None:
    make_role(globex, "Lead", [])
    sent = invite(acme)
    for action in (
        lambda: invite(acme, "bo@guest.example", "lead"),
        lambda: invitations.edit(acme.id, sent.id, Changes(role="lead"), by=acme.owner.actor),
        lambda: members.change_role(acme.id, acme.member.id, "lead", by=OPERATOR),
        lambda: members.add(acme.id, globex.member.id, "lead", by=OPERATOR),
        lambda: api_keys.create(acme.id, name="x", role="lead", by=OPERATOR),
        lambda: roles.update_role(acme.id, "lead", name="Mine", by=OPERATOR),
        lambda: roles.delete(acme.id, "lead", by=OPERATOR),
    ):
        with pytest.raises(RoleNotFound):
            action()


def test_lists_contain_only_own_rows(acme: Acme, globex: Acme) -> None:
    invite(globex, "theirs@guest.example")
    ours = invite(acme, "ours@guest.example")
    make_api_key(globex, "member")
    by = acme.owner.actor
    assert [item.id for item in invitations.list_page(acme.id, by=by).items] == [ours.id]
    assert {item.organization_id for item in members.list_page(acme.id, by=by).items} == {acme.id}
    assert {item.organization_id for item in workspaces.list_all(acme.id, by=by)} == {acme.id}
    assert {item.organization_id for item in roles.list_all(acme.id, by=by)} == {acme.id}
    assert api_keys.list_all(acme.id, by=by) == []
    assert {event.organization_id for event in audit.list_page(acme.id, by=by).items} == {acme.id}


def test_removal_keeps_the_persons_other_memberships(acme: Acme, globex: Acme) -> None:
    members.add(acme.id, globex.admin.id, "member", by=OPERATOR)
    key = make_api_key(globex, "admin", user=globex.admin)
    pending = invite(globex, "ana@guest.example", by=globex.admin.actor)
    members.remove(acme.id, globex.admin.id, by=acme.owner.actor)
    assert authentication.authenticate(key.secret, ip=None) == key.actor
    assert members.get(globex.id, globex.admin.id, by=OPERATOR).role.key == "admin"
    assert reread(pending).state == "pending"
