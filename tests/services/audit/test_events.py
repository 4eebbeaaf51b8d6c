"""The audit log: one event per action, with the names of that moment and without secrets."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from invite_app.access import UserActor
from invite_app.errors import DomainError
from invite_app.models import AuditEvent
from invite_app.services import api_keys, audit, invitations, members, organizations, roles, workspaces
from invite_app.services.invitations import Changes
from tests.support.factories import (
    OPERATOR,
    PASSWORD,
    Acme,
    invite,
    make_api_key,
    make_member,
    make_person,
    make_role,
    token_of,
)

ANA = invitations.NewProfile("Ana", "Guest", PASSWORD)


def events(acme: Acme) -> list[AuditEvent]:
    return audit.list_page(acme.id, by=acme.owner.actor, limit=100).items


def actions(acme: Acme) -> dict[str, Callable[[UserActor], Any]]:
    """Return one function per audit action, each for rows of its own."""
    sent = {
        name: invite(acme, f"{name}@guest.example").id
        for name in ("resent", "revoked", "extended", "changed", "taken", "copied")
    }
    key = make_api_key(acme, "member", user=acme.member)
    make_role(acme, "Lead", [])
    make_role(acme, "Old", [])
    leaver = make_member(acme, "leaver@acme.example")
    return {
        "invitation.sent": lambda by: invite(acme, "sent@guest.example", by=by),
        "invitation.resent": lambda by: invitations.resend(acme.id, sent["resent"], by=by),
        "invitation.revoked": lambda by: invitations.revoke(acme.id, sent["revoked"], by=by),
        "invitation.extended": lambda by: invitations.extend(acme.id, sent["extended"], by=by),
        "invitation.changed": lambda by: invitations.edit(acme.id, sent["changed"], Changes(role="admin"), by=by),
        "invitation.taken_over": lambda by: invitations.take_over(acme.id, sent["taken"], by=by),
        "invitation.link_copied": lambda by: invitations.copy_link(acme.id, sent["copied"], by=by),
        "member.added": lambda by: members.add(acme.id, make_person("x@guest.example").id, "member", by=by),
        "member.role_changed": lambda by: members.change_role(acme.id, acme.member.id, "admin", by=by),
        "member.workspaces_changed": lambda by: members.change(
            acme.id, acme.member.id, workspace_ids=acme.workspaces, by=by
        ),
        "member.metadata_changed": lambda by: members.change_metadata(
            acme.id, acme.member.id, public={"a": 1}, by=by
        ),
        "member.removed": lambda by: members.remove(acme.id, leaver.id, by=by),
        "api_key.created": lambda by: api_keys.create(
            acme.id, name="x", role="member", user_id=acme.member.id, by=by
        ),
        "api_key.revoked": lambda by: api_keys.revoke(acme.id, key.id, by=by),
        "role.created": lambda by: roles.create(acme.id, name="New", permissions=[], by=by),
        "role.changed": lambda by: roles.update_role(acme.id, "lead", name="Leader", by=by),
        "role.deleted": lambda by: roles.delete(acme.id, "old", by=by),
        "workspace.created": lambda by: workspaces.create(acme.id, "New", by=by),
        "workspace.renamed": lambda by: workspaces.rename(acme.id, acme.workspaces[0], "Renamed", by=by),
        "workspace.deleted": lambda by: workspaces.delete(acme.id, acme.workspaces[1], by=by),
        "organization.changed": lambda by: organizations.change(
            acme.id, organizations.Changes(invitation_lifetime=timedelta(days=2)), by=by
        ),
        "ownership.offered": lambda by: members.offer_transfer(acme.id, acme.admin.id, by=by),
    }


def test_each_action_records_one_event_with_its_actor(acme: Acme) -> None:
    by = UserActor(acme.owner.id, ip="192.0.2.7")
    for action, act in actions(acme).items():
        before = {event.id for event in events(acme)}
        act(by)
        (event,) = [event for event in events(acme) if event.id not in before]
        assert (event.action, event.actor_kind, event.actor_id) == (action, "person", acme.owner.id)
        assert (event.actor_name, event.ip) == ("Olivia Owner", "192.0.2.7")
        assert event.target_name


def test_refused_action_records_nothing(acme: Acme) -> None:
    tried = actions(acme)
    before = len(events(acme))
    for act in tried.values():
        with pytest.raises(DomainError):
            act(acme.member.actor)
    assert len(events(acme)) == before


def test_events_contain_no_secret(acme: Acme) -> None:
    secrets = [PASSWORD]
    for action, act in actions(acme).items():
        result = act(acme.owner.actor)
        if action == "api_key.created":
            secrets += [result[1], result[0].secret_hash]
        if action == "invitation.link_copied":
            secrets.append(result.rpartition("/")[2])
    sent = invite(acme)
    secrets += [token_of(sent), token_of(sent, copied=True)]
    invitations.accept_with_new_account(token_of(sent), ANA, ip="192.0.2.9")
    for event in events(acme):
        written = json.dumps({name: str(value) for name, value in vars(event).items()})
        for secret in secrets:
            assert secret not in written, event.action


def test_event_has_values_before_and_after(acme: Acme) -> None:
    members.change_role(acme.id, acme.member.id, "admin", by=acme.owner.actor)
    event = events(acme)[0]
    assert (event.target_kind, event.target_id, event.target_name) == (
        "member",
        acme.member.id,
        "member@acme.example",
    )
    assert (event.before, event.after) == ({"role": "Member"}, {"role": "Admin"})


def test_key_is_named_with_its_user(acme: Acme) -> None:
    key = make_api_key(acme, "admin", user=acme.admin, name="CI")
    invite(acme, by=key.actor)
    event = events(acme)[0]
    assert (event.actor_kind, event.actor_id, event.actor_name) == ("api_key", key.id, "CI (Adam Admin)")


def test_operator_and_invitee_are_named_too(acme: Acme) -> None:
    sent = invite(acme, "ana@guest.example", by=OPERATOR)
    invitations.decline(token_of(sent), word="no", ip="192.0.2.9")
    declined, invited = events(acme)[:2]
    assert (invited.actor_kind, invited.actor_name) == ("operator", "The operator")
    assert (declined.action, declined.actor_kind, declined.ip) == ("invitation.declined", "invitee", "192.0.2.9")


def test_accepting_is_recorded_for_the_new_member(acme: Acme) -> None:
    joined = invitations.accept_with_new_account(token_of(invite(acme)), ANA, ip="192.0.2.9")
    event = events(acme)[0]
    assert (event.action, event.actor_id, event.actor_name) == ("invitation.accepted", joined.user_id, "Ana Guest")


def test_names_are_kept_after_deletion(acme: Acme) -> None:
    members.change_role(acme.id, acme.member.id, "admin", by=acme.admin.actor)
    members.remove(acme.id, acme.admin.id, by=acme.owner.actor)
    assert [event.actor_name for event in events(acme)[:2]] == ["Olivia Owner", "Adam Admin"]
