"""Role and workspaces change in one action; a page of members can start beside any of them."""

import pytest
from flask import Flask

from invite_app.errors import LastOwner, WorkspaceNotFound
from invite_app.services import members, workspaces
from tests.support.factories import make_organization


def test_unknown_workspace_leaves_the_role_unchanged(app: Flask, app_context: None) -> None:
    acme = make_organization()
    with pytest.raises(WorkspaceNotFound):
        members.change(acme.id, acme.member.id, by=acme.owner.actor, role="admin", workspace_ids=[acme.id])
    assert members.get(acme.id, acme.member.id, by=acme.owner.actor).role.key == "member"


def test_role_and_workspaces_change_together(app: Flask, app_context: None) -> None:
    acme = make_organization()
    changed = members.change(
        acme.id, acme.member.id, by=acme.owner.actor, role="admin", workspace_ids=acme.workspaces
    )
    assert (changed.role.key, len(changed.workspaces)) == ("admin", 2)
    with pytest.raises(LastOwner):
        members.change(acme.id, acme.owner.id, by=acme.owner.actor, role="admin")


def test_pages_start_beside_a_member(app: Flask, app_context: None) -> None:
    acme = make_organization()
    by = acme.owner.actor
    assert [row.user_id for row in members.list_page(acme.id, by=by, after=acme.admin.id).items] == [
        acme.member.id,
        acme.owner.id,
    ]
    page = members.list_page(acme.id, by=by, before=acme.owner.id, limit=1)
    assert [row.user_id for row in page.items] == [acme.member.id]


@pytest.mark.parametrize("name", ["sales", " SALES "])
def test_workspace_by_its_name(app: Flask, app_context: None, name: str) -> None:
    acme = make_organization()
    assert workspaces.get_by_name(acme.id, name, by=acme.member.actor).id == acme.workspaces[0]


@pytest.mark.parametrize("name", ["Nowhere", "Sales\0", ""])
def test_unknown_workspace_name(app: Flask, app_context: None, name: str) -> None:
    acme = make_organization()
    with pytest.raises(WorkspaceNotFound):
        workspaces.get_by_name(acme.id, name, by=acme.owner.actor)
