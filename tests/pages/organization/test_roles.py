"""Roles: access, previews of changes, and deleting a role in use."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from invite_app.db import session
from invite_app.errors import RoleNotFound
from invite_app.models import Membership, Role
from invite_app.services import roles
from tests.support.factories import Acme, Person, invite, make_api_key, make_member, make_role
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]


@pytest.fixture
def editor(app: Flask, acme: Acme) -> str:
    """Create a role that two members, one pending invitation and one key have; return its path."""
    with app.app_context():
        make_role(acme, "Editor", ["members:read", "members:write"])
        for name in ("ed", "eva"):
            make_member(acme, f"{name}@acme.example", role="editor")
        invite(acme, "ana@guest.example", role="editor")
        make_api_key(acme, role="editor")
    return f"{at(acme)}/editor"


@pytest.fixture
def builder(app: Flask, acme: Acme) -> Person:
    """Create a member who can manage roles and nothing else."""
    with app.app_context():
        make_role(acme, "Builder", ["roles:write"])
        return make_member(acme, "builder@acme.example", role="builder")


def at(organization: Acme) -> str:
    return f"/organizations/{organization.id}/roles"


def role_of(app: Flask, organization: Acme, key: str) -> Role:
    with app.app_context():
        return roles.get(organization.id, key)


def test_list_shows_permissions_and_holders_of_each_role(owner: Visitor, acme: Acme, editor: str) -> None:
    page = owner.get(at(acme))
    assert page.texts("td", "cell-wide")[:2] == [
        "Invite people, change members, manage workspaces, manage roles, see the audit log and manage API keys",
        "Change members",
    ]
    assert "EditorCustom Change members 2 with Editor 1 with Editor Actions for Editor" in page.texts("tr")[2]
    assert f"/organizations/{acme.id}/members?role=editor" in page.links
    assert page.texts("nav", "card-foot") == ["4 in all"]


def test_long_list_has_pages(app: Flask, owner: Visitor, acme: Acme) -> None:
    with app.app_context():
        for number in range(30):
            make_role(acme, f"Role {number:02}", [])
    page = owner.get(at(acme))
    (further,) = [link for link in page.links if "cursor=" in link]
    assert "33 in all" in page.texts("nav", "card-foot")[0]
    assert "Role 29" in owner.get(further).texts("a", "who-name")


@pytest.mark.parametrize("path", ["", "/new", "/admin", "/editor", "/editor/delete"])
def test_only_role_managers_see_roles(path: str, acme: Acme, editor: str, builder: Person, visit: Visit) -> None:
    visit(acme.member).get(f"{at(acme)}{path}", 403)
    visit(builder).get(f"{at(acme)}{path}")


def test_foreign_organization_is_not_found(acme: Acme, globex: Acme, editor: str, visit: Visit) -> None:
    stranger = visit(globex.owner)
    stranger.get(editor, 404)
    stranger.get(f"{at(globex)}/editor", 404)
    stranger.submit(f"{at(globex)}/editor/delete", page="/", status=404)


def test_role_is_created(app: Flask, owner: Visitor, acme: Acme) -> None:
    page = owner.follow(
        f"{at(acme)}/new", name="Front desk", key="", permissions=["members:read", "invitations:read"]
    )
    assert page.notes == ["Role Front desk made."]
    made = role_of(app, acme, "front_desk")
    assert (made.name, made.permissions) == ("Front desk", ["invitations:read", "members:read"])


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"name": ""}, "Enter a name."),
        ({"name": "x" * 101}, "Use at most 100 characters."),
        ({"name": "owner"}, "There is already a role called “owner”."),
        ({"name": "Über", "key": "---"}, "Use a key of letters, digits and underscores."),
        ({"name": "Odd", "permissions": ["everything"]}, "There is no permission “everything”."),
    ],
)
def test_errors_are_shown_at_their_fields(typed: dict[str, Any], error: str, owner: Visitor, acme: Acme) -> None:
    page = owner.submit(f"{at(acme)}/new", **typed)
    assert page.errors == [error]
    assert page.summary == [error]
    assert page.value("name") == typed["name"]
    assert page.texts("title")[0].startswith("Problem: ")


def test_checked_boxes_stay_checked(owner: Visitor, acme: Acme) -> None:
    page = owner.submit(f"{at(acme)}/new", name="", permissions=["members:read", "audit:read"])
    boxes = page.all("input", name="permissions")
    assert [box.attributes["value"] for box in boxes if "checked" in box.attributes] == ["members:read", "audit:read"]


def test_saving_changes_the_role_for_everyone(
    app: Flask, owner: Visitor, acme: Acme, editor: str, visit: Visit
) -> None:
    page = owner.follow(editor, name="Editors", permissions=["members:read"])
    assert page.notes == ["Role Editors saved."]
    changed = role_of(app, acme, "editor")
    assert (changed.name, changed.permissions) == ("Editors", ["members:read"])


def test_effect_is_shown_before_saving(app: Flask, owner: Visitor, acme: Acme, editor: str) -> None:
    page = owner.submit(
        editor, status=200, preview="1", name="Editor", permissions=["members:read", "workspaces:write"]
    )
    said = " ".join(page.texts("section")[-1].split())
    assert "2 members will be able to manage workspaces and will no longer change members" in said
    assert "1 pending invitation will carry the changed role." in said
    assert "Changes count from their next page on. Nobody is signed out." in said
    assert role_of(app, acme, "editor").permissions == ["members:read", "members:write"]
    assert "The permissions stay as they are for 2 members." in " ".join(owner.get(editor).texts("p"))


def test_new_role_shows_what_it_allows(owner: Visitor, acme: Acme) -> None:
    path = f"{at(acme)}/new"
    assert "sign in, and nothing else." in owner.get(path).texts("p")
    page = owner.submit(path, status=200, preview="1", name="", permissions=["audit:read"])
    assert page.errors == []
    assert "see the audit log" in " ".join(page.texts("section")[-1].split())


@pytest.mark.parametrize("key", ["owner", "admin", "member"])
def test_built_in_roles_are_read_only(key: str, app: Flask, owner: Visitor, acme: Acme) -> None:
    path = f"{at(acme)}/{key}"
    page = owner.get(path)
    assert "Built in. Duplicate it to make your own." in page.notes
    assert all("disabled" in box.attributes for box in page.all("input", name="permissions"))
    assert "Save role" not in page.texts("button")
    assert f"{at(acme)}/new?like={key}" in page.links
    before = role_of(app, acme, key).permissions
    page = owner.submit(path, page=f"{at(acme)}/new", name="Mine", permissions=[])
    assert page.summary == [f"{key.capitalize()} is built in. Duplicate it to make your own."]
    assert role_of(app, acme, key).permissions == before


def test_copy_starts_with_permissions_one_can_assign(
    acme: Acme, owner: Visitor, builder: Person, visit: Visit
) -> None:
    def chosen(visitor: Visitor) -> list[str]:
        page = visitor.get(f"{at(acme)}/new?like=admin")
        assert page.value("name") == "Copy of Admin"
        boxes = page.all("input", name="permissions")
        return [box.attributes["value"] for box in boxes if "checked" in box.attributes]

    assert len(chosen(owner)) == 8
    assert chosen(visit(builder)) == ["roles:write"]


def test_permissions_one_lacks_cannot_be_assigned(
    app: Flask, acme: Acme, editor: str, builder: Person, visit: Visit
) -> None:
    visitor = visit(builder)
    page = visitor.get(f"{at(acme)}/new")
    withheld = [
        box.attributes["value"] for box in page.all("input", name="permissions") if "disabled" in box.attributes
    ]
    assert len(withheld) == 8
    assert page.texts("p", "hint").count("You cannot give this: your own role does not have it.") == 8
    page = visitor.submit(f"{at(acme)}/new", name="Sly", permissions=["roles:write", "api_keys:write"])
    assert page.errors == ["You cannot grant Sly: your own role does not let you manage API keys."]
    page = visitor.get(editor)
    assert page.notes == [
        "You cannot change this role: your own role does not let you see members and change members."
    ]
    visitor.submit(editor, page=f"{at(acme)}/new", name="Editor", permissions=[])
    assert role_of(app, acme, "editor").permissions == ["members:read", "members:write"]


def test_giving_up_role_permission_redirects_to_overview(acme: Acme, builder: Person, visit: Visit) -> None:
    visitor = visit(builder)
    assert visitor.go(f"{at(acme)}/builder", name="Builder") == f"/organizations/{acme.id}/"
    visitor.get(at(acme), 403)


def test_role_named_new_has_a_url(app: Flask, owner: Visitor, acme: Acme) -> None:
    owner.go(f"{at(acme)}/new", name="New")
    assert f"{at(acme)}/org:new" in owner.get(at(acme)).links
    assert owner.get(f"{at(acme)}/org:new").value("name") == "New"


def test_role_in_use_is_deleted_with_a_replacement(app: Flask, owner: Visitor, acme: Acme, editor: str) -> None:
    path = f"{editor}/delete"
    page = owner.get(path)
    assert "Choose a role for its 2 members first" in page.texts("h2")
    said = page.texts("li")
    assert "1 API key with it." in said
    assert "1 pending invitation. Nobody can accept it until another role is chosen." in said
    page = owner.submit(path, replacement="")
    assert page.errors == ["Choose a role for its 2 members first."]
    assert owner.submit(path, replacement="nobody").errors == [
        "There is no role “nobody” in this organization. Choose another one."
    ]
    assert owner.follow(path, replacement="member").notes == ["The role Editor is deleted."]
    with app.app_context():
        with pytest.raises(RoleNotFound):
            roles.get(acme.id, "editor")
        assert session().query(Membership).filter_by(role_id=role_id(acme, "member")).count() == 3


def test_unused_role_is_deleted_immediately(app: Flask, owner: Visitor, acme: Acme) -> None:
    with app.app_context():
        make_role(acme, "Spare", [])
    page = owner.get(f"{at(acme)}/spare/delete")
    assert not page.all("select", name="replacement")
    assert owner.follow(f"{at(acme)}/spare/delete").notes == ["The role Spare is deleted."]


def test_last_owners_role_stays(app: Flask, owner: Visitor, acme: Acme) -> None:
    page = owner.get(f"{at(acme)}/owner/delete")
    assert page.notes == ["Built in. Duplicate it to make your own."]
    assert "Delete role" not in page.texts("button")
    page = owner.submit(f"{at(acme)}/owner/delete", page=f"{at(acme)}/new", replacement="member")
    assert page.summary == ["Owner is built in. Duplicate it to make your own."]
    owner.get(at(acme))


def test_forms_require_a_csrf_token(app: Flask, owner: Visitor, acme: Acme, editor: str) -> None:
    owner.client.post(editor, data={"name": "Sly"}, headers={"Origin": "https://evil.example"})
    owner.client.post(f"{editor}/delete", data={"replacement": "member"}, headers={"Origin": "https://evil.example"})
    assert role_of(app, acme, "editor").name == "Editor"


def role_id(organization: Acme, key: str) -> UUID:
    return roles.get(organization.id, key).id
