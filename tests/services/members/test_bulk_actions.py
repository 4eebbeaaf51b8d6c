"""Bulk actions on members, in several transactions, and their effect on invitations."""

import pytest
from sqlalchemy import select

from invite_app.db import session
from invite_app.errors import CannotGrantRole, OrganizationNotFound, PermissionDenied, RoleNotFound, WorkspaceNotFound
from invite_app.models import AuditEvent, Organization
from invite_app.services import members
from invite_app.services.members import ChangeRole, ChangeWorkspaces, Filter, Remove, SkipReason, bulk_actions
from invite_app.services.members.filters import NO_FILTERS
from tests.support.factories import Acme, Person, invite, make_api_key, make_member, make_role, reread

ZEDS = Filter(fragment="zed")


@pytest.fixture
def crowd(acme: Acme) -> list[Person]:
    return [make_member(acme, f"zed{number}@acme.example", given_name="Zed") for number in range(7)]


def left_out(report: members.BulkResult) -> dict[str, SkipReason]:
    return {one.member.user.email.partition("@")[0]: one.obstacle for one in report.left_out}


def recorded(acme: Acme, action: str) -> int:
    query = select(AuditEvent).where(AuditEvent.organization_id == acme.id, AuditEvent.action == action)
    return len(list(session().scalars(query)))


def test_more_members_than_one_transaction_holds(
    acme: Acme, crowd: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_actions, "CHUNK_SIZE", 3)
    report = members.apply_bulk(acme.id, ZEDS, ChangeRole("admin"), by=acme.owner.actor)
    assert (len(report.done), report.left_out) == (7, [])
    assert recorded(acme, "member.role_changed") == 7
    report = members.apply_bulk(acme.id, ZEDS, Remove(), by=acme.owner.actor)
    assert len(report.done) == 7
    assert session().get_one(Organization, acme.id).members_count == 3


def test_preview_matches_the_result(acme: Acme, crowd: list[Person]) -> None:
    make_member(acme, "anna@acme.example", role="owner", given_name="Anna")
    for actor in (acme.owner.actor, acme.admin.actor):
        foretold = members.preview_bulk(acme.id, NO_FILTERS, Remove(), by=actor)
        assert "owner" in left_out(foretold)
    foretold = members.preview_bulk(acme.id, NO_FILTERS, ChangeRole("member"), by=acme.owner.actor)
    done = members.apply_bulk(acme.id, NO_FILTERS, ChangeRole("member"), by=acme.owner.actor)
    assert left_out(done) == left_out(foretold)
    assert left_out(done)["owner"] == SkipReason.LAST_OWNER
    assert [one.user_id for one in done.done] == [one.user_id for one in foretold.done]
    assert "anna" not in left_out(done), "of two owners the first in the list goes"


def test_last_of_several_owners_stays(acme: Acme) -> None:
    for name in ("anna", "bert"):
        make_member(acme, f"{name}@acme.example", role="owner", given_name=name)
    key = make_api_key(acme, role="owner", user=acme.owner)
    report = members.apply_bulk(acme.id, Filter(roles=["owner"]), Remove(), by=key.actor)
    assert left_out(report) == {"owner": SkipReason.LAST_OWNER}


def test_members_above_the_actor_are_skipped(acme: Acme) -> None:
    make_role(acme, "Keeper", ["members:read", "members:write"])
    keeper = make_member(acme, "keeper@acme.example", role="keeper")
    report = members.apply_bulk(acme.id, NO_FILTERS, Remove(take_over=True, tell=True), by=keeper.actor)
    assert left_out(report) == {
        "admin": SkipReason.ABOVE_OWN,
        "owner": SkipReason.ABOVE_OWN,
        "keeper": SkipReason.YOURSELF,
    }
    assert [one.user_id for one in report.done] == [acme.member.id]


def test_error_for_all_members_changes_none(acme: Acme, globex: Acme, crowd: list[Person]) -> None:
    make_role(acme, "Keeper", ["members:read", "members:write"])
    keeper = make_member(acme, "keeper@acme.example", role="keeper")
    for action, error in (
        (ChangeRole("admin"), CannotGrantRole),
        (ChangeRole("nobody"), RoleNotFound),
        (ChangeWorkspaces([str(globex.workspaces[0])]), WorkspaceNotFound),
    ):
        for act in (members.preview_bulk, members.apply_bulk):
            with pytest.raises(error):
                act(acme.id, ZEDS, action, by=keeper.actor)
    with pytest.raises(PermissionDenied):
        members.apply_bulk(acme.id, ZEDS, Remove(), by=acme.member.actor)
    with pytest.raises(OrganizationNotFound):
        members.apply_bulk(acme.id, ZEDS, Remove(), by=globex.owner.actor)
    assert recorded(acme, "member.removed") == 0


def test_workspaces_are_added_and_removed_individually(acme: Acme, crowd: list[Person]) -> None:
    sales, support = (str(one) for one in acme.workspaces)
    members.change(acme.id, crowd[0].id, workspace_ids=[support], by=acme.owner.actor)
    members.apply_bulk(acme.id, ZEDS, ChangeWorkspaces([sales]), by=acme.owner.actor)
    report = members.apply_bulk(acme.id, ZEDS, ChangeWorkspaces([sales]), by=acme.owner.actor)
    assert set(left_out(report).values()) == {SkipReason.UNCHANGED}
    members.apply_bulk(acme.id, ZEDS, ChangeWorkspaces([support], out=True), by=acme.owner.actor)
    found = members.get(acme.id, crowd[0].id, by=acme.owner.actor)
    assert [one.name for one in found.workspaces] == ["Sales"]


def test_only_assignable_invitations_are_taken_over(acme: Acme) -> None:
    make_role(acme, "Lead", ["members:read", "members:write", "invitations:read", "invitations:write"])
    other = make_member(acme, "other@acme.example", role="lead")
    plain = invite(acme, "plain@guest.example", by=other.actor)
    by_key = invite(acme, "key@guest.example", by=make_api_key(acme, "lead", user=other).actor)
    strong = invite(acme, "strong@guest.example", role="lead", by=other.actor)
    make_role(acme, "Trimmed", ["members:read", "members:write", "invitations:write"])
    trimmed = make_member(acme, "trimmed@acme.example", role="trimmed")
    members.change_role(acme.id, other.id, "member", by=acme.owner.actor)
    members.remove(acme.id, other.id, by=trimmed.actor, take_over=True)
    assert [reread(one).inviter_id for one in (plain, by_key)] == [trimmed.id, trimmed.id]
    assert [reread(one).inviter_lost_right for one in (plain, by_key)] == [False, False]
    assert (reread(strong).inviter_id, reread(strong).inviter_lost_right) == (other.id, True)
    assert recorded(acme, "invitation.taken_over") == 2


def test_export_requires_reading_members_throughout(acme: Acme, crowd: list[Person]) -> None:
    rows = list(members.export(acme.id, by=acme.member.actor, only=ZEDS))
    assert [member.user.given_name for member in rows] == ["Zed"] * 7
    members.remove(acme.id, crowd[0].id, by=acme.owner.actor)
    with pytest.raises(OrganizationNotFound):
        next(members.export(acme.id, by=crowd[0].actor))
