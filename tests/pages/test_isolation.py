"""Access to every page and action of an organization, taken from the application's routes.

Each is tried from other organizations, with every role below the required one, and without signing in. A route
without a row here fails.
"""

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from invite_app.models.roles import PERMISSIONS
from invite_app.services import accounts, delivery, imports
from invite_app.services.imports import parse
from tests.api.test_guards import everything_of
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, invite, make_api_key, make_member, make_person, make_role
from tests.support.visitor import Visitor

pytestmark = on_sqlite
Visit = Callable[..., Visitor]

ORGANIZATION = "/organizations/<uuid:organization_id>"
OWNER = "only an owner"

# The permissions that pages and actions of an organization require; without any, membership.
NEEDS: dict[str, tuple[str, ...]] = {
    "": (
        "GET /",
        "GET /leave",
        "POST /leave",
        "POST /ownership/accept",
        "POST /ownership/decline",
        "GET /workspaces",
    ),
    "members:read": (
        "GET /members",
        "GET /members/<uuid:user_id>",
        "GET /members/export",
    ),
    "members:write": (
        "POST /members/<uuid:user_id>/remove",
        "GET /members/change-role",
        "POST /members/change-role",
        "GET /members/change-workspaces",
        "POST /members/change-workspaces",
        "GET /members/remove",
        "POST /members/remove",
    ),
    "members:read members:write": (
        "POST /members/<uuid:user_id>",
        "GET /members/<uuid:user_id>/remove",
        "GET /members/<uuid:user_id>/role",
        "POST /members/<uuid:user_id>/role",
    ),
    "invitations:read": (
        "GET /invitations",
        "GET /invitations/<uuid:invitation_id>",
    ),
    "invitations:write": (
        "POST /invitations/<uuid:invitation_id>/extend",
        "POST /invitations/<uuid:invitation_id>/resend",
        "POST /invitations/<uuid:invitation_id>/revoke",
        "POST /invitations/<uuid:invitation_id>/take-over",
        "POST /invitations/<uuid:invitation_id>/try-now",
        "GET /invitations/bulk",
        "POST /invitations/bulk",
        "GET /invitations/bulk/<uuid:sheet_id>",
        "GET /invitations/bulk/<uuid:sheet_id>/progress",
        "GET /invitations/bulk/<uuid:sheet_id>/rest",
        "POST /invitations/bulk/<uuid:sheet_id>/rows/<int:position>",
        "POST /invitations/bulk/<uuid:sheet_id>/send",
        "GET /invitations/bulk/<uuid:sheet_id>/start-over",
        "POST /invitations/bulk/<uuid:sheet_id>/start-over",
        "GET /invitations/bulk/<uuid:sheet_id>/stop",
        "POST /invitations/bulk/<uuid:sheet_id>/stop",
        "POST /invitations/bulk/<uuid:sheet_id>/try-again",
        "GET /invitations/bulk/example",
        "GET /invitations/extend",
        "POST /invitations/extend",
        "GET /invitations/new",
        "POST /invitations/new",
        "GET /invitations/revoke",
        "POST /invitations/revoke",
        "GET /invitations/send-again",
        "POST /invitations/send-again",
    ),
    "invitations:read invitations:write": (
        "GET /invitations/<uuid:invitation_id>/edit",
        "POST /invitations/<uuid:invitation_id>/edit",
        "GET /invitations/<uuid:invitation_id>/link",
        "POST /invitations/<uuid:invitation_id>/link",
        "GET /invitations/<uuid:invitation_id>/revoke",
        "GET /invitations/<uuid:invitation_id>/send-again",
        "POST /invitations/<uuid:invitation_id>/send-again",
    ),
    "workspaces:write": (
        "GET /workspaces/<uuid:workspace_id>/delete",
        "POST /workspaces/<uuid:workspace_id>/delete",
        "GET /workspaces/<uuid:workspace_id>/rename",
        "POST /workspaces/<uuid:workspace_id>/rename",
        "GET /workspaces/new",
        "POST /workspaces/new",
    ),
    "roles:write": (
        "GET /roles",
        "GET /roles/<key>",
        "POST /roles/<key>",
        "GET /roles/<key>/delete",
        "POST /roles/<key>/delete",
        "GET /roles/new",
        "POST /roles/new",
    ),
    "api_keys:write": (
        "GET /api-keys",
        "GET /api-keys/<uuid:api_key_id>/revoke",
        "POST /api-keys/<uuid:api_key_id>/revoke",
        "GET /api-keys/new",
        "POST /api-keys/new",
    ),
    "audit:read": (
        "GET /audit",
        "GET /audit/export",
    ),
    "organization:write": (
        "GET /settings",
        "POST /settings",
        "GET /settings/delete",
        "POST /settings/delete",
    ),
    OWNER: (
        "GET /members/<uuid:user_id>/hand-over",
        "POST /members/<uuid:user_id>/hand-over",
    ),
}

ROWS = {name: needed for needed, names in NEEDS.items() for name in names}


def routes(app: Flask) -> dict[str, str]:
    """Yield method and path within the organization, with the rule."""
    return {
        f"{method} {rule.rule.removeprefix(ORGANIZATION)}": rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("pages.") and "organization_id" in rule.arguments
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def things_of(organization: Acme) -> dict[str, Any]:
    """Create one of everything that a path can name."""
    make_role(organization, "Helpers", [])
    lines = parse("ana@guest.example")
    return {
        "organization_id": organization.id,
        "invitation_id": invite(organization, "bo@guest.example").id,
        "user_id": organization.member.id,
        "workspace_id": organization.workspaces[0],
        "api_key_id": make_api_key(organization, "member", user=organization.member).id,
        "sheet_id": imports.create(organization.id, lines, by=organization.owner.actor, role="member").id,
        "key": "helpers",
        "position": 1,
    }


def ask(client: FlaskClient, name: str, things: dict[str, Any]) -> Any:
    method, _, path = name.partition(" ")
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda part: str(things[part[1]]), ORGANIZATION + path)
    return client.open(path, method=method, data={} if method == "POST" else None)


@pytest.fixture
def things(app: Flask, acme: Acme) -> dict[str, Any]:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        return things_of(acme)


def test_every_organization_route_has_a_row(app: Flask) -> None:
    """Add a new route under its permissions, in NEEDS."""
    assert set(routes(app)) == set(ROWS)


def test_anonymous_visitors_sign_in_first(app: Flask, things: dict[str, Any]) -> None:
    client = app.test_client()
    for name in ROWS:
        answer = ask(client, name, things)
        assert (name, answer.status_code, answer.location.partition("?")[0]) == (name, 303, "/sign-in")


@pytest.mark.parametrize("who", ["the owner of another organization", "somebody without one"])
def test_other_organizations_find_nothing(
    app: Flask, acme: Acme, globex: Acme, *, who: str, things: dict[str, Any], visit: Visit
) -> None:
    with app.app_context():
        person = globex.owner if "another" in who else make_person("loner@nowhere.example")
        before = everything_of(acme)
    client = visit(person).client
    answers = {name: ask(client, name, things) for name in ROWS}
    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code != 404} == {}
    assert not [name for name, answer in answers.items() if "Acme" in answer.text]
    with app.app_context():
        assert everything_of(acme) == before


def test_foreign_ids_are_not_found(
    app: Flask, acme: Acme, globex: Acme, *, things: dict[str, Any], visit: Visit
) -> None:
    """The path names the person's own organization, and an id of another one."""
    with app.app_context():
        before = everything_of(acme)
    client = visit(globex.owner).client
    mixed = {**things, "organization_id": globex.id}
    named = [name for name in ROWS if "<" in name]
    answers = {name: ask(client, name, mixed).status_code for name in named}
    assert {name: status for name, status in answers.items() if status != 404} == {}
    with app.app_context():
        assert everything_of(acme) == before


@pytest.mark.parametrize("missing", PERMISSIONS)
def test_one_missing_permission_is_refused(
    app: Flask, acme: Acme, *, missing: str, things: dict[str, Any], visit: Visit
) -> None:
    with app.app_context():
        make_role(acme, "Lesser", [name for name in PERMISSIONS if name != missing])
        lesser = make_member(acme, "lesser@acme.example", role="lesser")
    client = visit(lesser).client
    ask(client, "GET /", things)  # records the visit before the measured requests
    with app.app_context():
        before = everything_of(acme)
    refused = [name for name, needed in ROWS.items() if missing in needed.split() or needed == OWNER]
    assert {name: ask(client, name, things).status_code for name in refused} == dict.fromkeys(refused, 403)
    with app.app_context():
        assert everything_of(acme) == before
    shown = [name for name in ROWS if name.startswith("GET") and name not in refused]
    assert {name: ask(client, name, things).status_code for name in shown}.items() <= {
        (name, status) for name in shown for status in (200, 303)
    }


def test_other_routes_require_membership_only(
    app: Flask, acme: Acme, *, things: dict[str, Any], visit: Visit
) -> None:
    with app.app_context():
        make_role(acme, "Nothing", [])
        nobody = make_member(acme, "nothing@acme.example", role="nothing")
    client = visit(nobody).client
    last = "POST /leave"
    for name in [*(ROWS.keys() - {last}), last]:
        status = ask(client, name, things).status_code
        assert (name, status == 403) == (name, bool(ROWS[name]))


def test_personal_pages_are_hidden_from_everyone_else(
    app: Flask, acme: Acme, globex: Acme, *, things: dict[str, Any], visit: Visit
) -> None:
    owner, stranger = visit(acme.owner), visit(globex.owner)
    with app.app_context():
        [signed_in] = accounts.list_sessions(acme.owner.id)
        message_id = delivery.list_local(by=acme.owner.actor).items[0].id
    paths = [f"/outbox/{message_id}", f"/outbox/{message_id}/body"]
    for path in paths:
        owner.client.get(path)
        assert (owner.client.get(path).status_code, stranger.client.get(path).status_code) == (200, 404)
        assert app.test_client().get(path).status_code == 303
    name = sha256(signed_in.id.encode()).hexdigest()[:20]
    assert stranger.client.post(f"/account/sessions/{name}/end").status_code == 404
    assert owner.client.get("/account").status_code == 200
