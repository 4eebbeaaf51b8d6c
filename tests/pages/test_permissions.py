"""A table of pages and actions by kind of person, and all routes for people without membership."""

import re
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from flask import Flask

from tests.support.factories import Acme, Person, invite, make_member, make_person, make_role, reread
from tests.support.visitor import Visitor

ORGANIZATION = "/organizations/{organization}"
INVITATION = f"{ORGANIZATION}/invitations/{{invitation}}"
WORKSPACE = f"{ORGANIZATION}/workspaces/{{workspace}}"

NEEDS = {
    f"{ORGANIZATION}/": None,
    f"{ORGANIZATION}/members": "members:read",
    f"{ORGANIZATION}/leave": None,
    f"{ORGANIZATION}/workspaces": None,
    f"{ORGANIZATION}/workspaces/new": "workspaces:write",
    f"{WORKSPACE}/rename": "workspaces:write",
    f"{WORKSPACE}/delete": "workspaces:write",
    f"{ORGANIZATION}/invitations": "invitations:read",
    f"{ORGANIZATION}/invitations/new": "invitations:write",
    INVITATION: "invitations:read",
    f"{INVITATION}/edit": "invitations:write",
    f"{INVITATION}/revoke": "invitations:write",
    f"{INVITATION}/link": "invitations:write",
}
ACTIONS = {
    f"{INVITATION}/resend": "invitations:write",
    f"{INVITATION}/extend": "invitations:write",
    f"{INVITATION}/take-over": "invitations:write",
    f"{INVITATION}/revoke": "invitations:write",
    f"{INVITATION}/link": "invitations:write",
    f"{ORGANIZATION}/workspaces/new": "workspaces:write",
    f"{WORKSPACE}/delete": "workspaces:write",
}
ROLES = {
    "reader": {"members:read", "invitations:read"},
    "inviter": {"members:read", "invitations:read", "invitations:write"},
    "builder": {"workspaces:write"},
    "nothing": set(),
}


@pytest.fixture
def places(app: Flask, acme: Acme) -> dict[str, str]:
    with app.app_context():
        invitation = invite(acme)
    return {
        "organization": str(acme.id),
        "invitation": str(invitation.id),
        "workspace": str(acme.workspaces[0]),
    }


@pytest.fixture
def somebody(app: Flask, acme: Acme) -> Callable[[str], Person]:
    def somebody(role: str) -> Person:
        with app.app_context():
            make_role(acme, role.capitalize(), ROLES[role])
            return make_member(acme, f"{role}@acme.example", role=role)

    return somebody


@pytest.mark.parametrize("role", ROLES)
def test_page_is_shown_with_permission(
    role: str, places: dict[str, str], somebody: Callable[[str], Person], visit: Callable[..., Visitor]
) -> None:
    visitor = visit(somebody(role))
    for path, needed in NEEDS.items():
        visitor.get(path.format(**places), 200 if needed is None or needed in ROLES[role] else 403)


@pytest.mark.parametrize("role", ["reader", "nothing"])
def test_action_is_refused_without_permission(
    role: str, app: Flask, places: dict[str, str], somebody: Callable[[str], Person], visit: Callable[..., Visitor]
) -> None:
    visitor = visit(somebody(role))
    home = f"{ORGANIZATION}/".format(**places)
    for path in ACTIONS:
        visitor.submit(path.format(**places), page=home, status=403, name="New")
    with app.app_context():
        assert reread(UUID(places["invitation"])).state == "pending"


def test_outsiders_and_strangers_find_nothing(
    app: Flask, globex: Acme, places: dict[str, str], visit: Callable[..., Visitor]
) -> None:
    with app.app_context():
        loner = make_person("loner@nowhere.example")
    for person in (globex.owner, loner):
        visitor = visit(person)
        for path in NEEDS:
            visitor.get(path.format(**places), 404)
        for path in ACTIONS:
            visitor.submit(path.format(**places), page="/", status=404, name="x")


def test_foreign_ids_are_not_found(
    app: Flask, globex: Acme, places: dict[str, str], visit: Callable[..., Visitor]
) -> None:
    """The path names the person's own organization, and an id of another one."""
    visitor = visit(globex.owner)
    foreign = {**places, "organization": str(globex.id)}
    for path in NEEDS:
        if "{invitation}" in path or "{workspace}" in path:
            visitor.get(path.format(**foreign), 404)
    visitor.get(f"{ORGANIZATION}/".format(organization=uuid4()), 404)


def test_signed_out_visitors_are_sent_to_sign_in(places: dict[str, str], visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    for path in NEEDS:
        visitor.get(path.format(**places), 303)
        assert visitor.answer is not None
        assert visitor.answer.location == f"/sign-in?next={path.format(**places)}"


def test_no_organization_page_is_visible_to_others(
    app: Flask, globex: Acme, places: dict[str, str], visit: Callable[..., Visitor]
) -> None:
    """Anonymous visitors sign in first, and outsiders get 404, on every route."""
    outsider, stranger = visit(globex.owner), visit()
    rules = [rule for rule in app.url_map.iter_rules() if "<uuid:organization_id>" in rule.rule]
    assert len(rules) > len(NEEDS)
    for rule in rules:
        path = re.sub("<uuid:organization_id>", places["organization"], rule.rule)
        path = re.sub(r"<uuid:\w+>", places["invitation"], path)
        path = re.sub(r"<\w+>", "member", path)
        if rule.endpoint.startswith("pages.") and "GET" in (rule.methods or ()):
            outsider.get(path, 404)
            stranger.get(path, 303)
        elif rule.endpoint.startswith("pages."):
            outsider.submit(path, page="/", status=404)


def test_forbidden_actions_are_not_offered(places: dict[str, str], acme: Acme, visit: Callable[..., Visitor]) -> None:
    page = visit(acme.member).get(f"{ORGANIZATION}/".format(**places))
    assert not [link for link in page.links if "invitations" in link]
    assert "Invitations" not in page.texts("a", "nav-link")
    assert not page.all("a", href=f"{ORGANIZATION}/workspaces/new".format(**places))
