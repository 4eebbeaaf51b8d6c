"""Private metadata is shown only to those who can write members or invitations."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from invite_app.api import DIALECTS
from invite_app.models.roles import PERMISSIONS
from invite_app.services import members
from tests.api.clerk import schemas
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, Key, Person, invite, make_api_key, make_role

SECRET = "classified"
NOBODY = "01980000-0000-7000-8000-000000000001"
PRIVATE = {"note": SECRET}
MEMBERSHIPS = (
    "/v1/organizations/{organization_id}/memberships",
    "/v1/organization_memberships",
    "/v1/users/{user_id}/organization_memberships",
)
INVITATIONS = (
    "/v1/organizations/{organization_id}/invitations",
    "/v1/organizations/{organization_id}/invitations/pending",
    "/v1/organizations/{organization_id}/invitations/{invitation_id}",
    "/v1/organization_invitations",
    "/v1/users/{invitee_id}/organization_invitations",
)
WRITING = {"members:write", "invitations:write"}


@pytest.fixture
def ids(app: Flask, acme: Acme) -> dict[str, Any]:
    """Create a member and an invitation with private metadata; return the ids for the paths."""
    with app.app_context():
        members.change_metadata(acme.id, acme.member.id, private=PRIVATE, by=acme.owner.actor)
        sent = invite(acme, private_metadata=PRIVATE)
        return {"organization_id": acme.id, "user_id": acme.member.id, "invitation_id": sent.id}


@pytest.fixture
def without_writing(app: Flask, acme: Acme) -> Key:
    with app.app_context():
        make_role(acme, "Readers", sorted(set(PERMISSIONS) - WRITING))
        return make_api_key(acme, "readers")


def path_of(template: str, ids: dict[str, Any]) -> str:
    return template.format(**{"invitee_id": NOBODY, **ids})


@pytest.mark.parametrize(
    ("paths", "permissions", "is_shown"),
    [
        (MEMBERSHIPS, ["members:read"], False),
        (MEMBERSHIPS, ["members:read", "invitations:write"], False),
        (MEMBERSHIPS, ["members:read", "members:write"], True),
        (INVITATIONS, ["invitations:read"], False),
        (INVITATIONS, ["invitations:read", "members:write"], False),
        (INVITATIONS, ["invitations:read", "invitations:write"], True),
    ],
)
def test_key_needs_the_write_permission(
    app: Flask,
    client: FlaskClient,
    acme: Acme,
    ids: dict[str, Any],
    *,
    paths: tuple[str, ...],
    permissions: list[str],
    is_shown: bool,
) -> None:
    with app.app_context():
        make_role(acme, "Some", permissions)
        key = make_api_key(acme, "some")
    for path in paths:
        answer = client.get(path_of(path, ids), headers=key.headers)
        assert answer.status_code == 200
        assert (SECRET in answer.text) == (is_shown and "{invitee_id}" not in path), path


@on_sqlite
def test_responses_without_it_match_the_published_schema(
    client: FlaskClient, without_writing: Key, ids: dict[str, Any]
) -> None:
    for path, schema in ((MEMBERSHIPS[0], schemas.MEMBERSHIP), (INVITATIONS[0], schemas.INVITATION)):
        answer = client.get(path_of(path, ids), headers=without_writing.headers).get_json()
        schemas.check(schemas.listed(schema), answer)
        assert all(item["private_metadata"] == {} for item in answer["data"])


def test_plain_member_sees_none_in_the_browser(
    signed_in: Callable[[Person], FlaskClient], acme: Acme, ids: dict[str, Any]
) -> None:
    answer = signed_in(acme.member).get(path_of(MEMBERSHIPS[0], ids))
    assert (answer.status_code, SECRET in answer.text) == (200, False)
    assert SECRET in signed_in(acme.admin).get(path_of(MEMBERSHIPS[0], ids)).text


@on_sqlite
@pytest.mark.parametrize(
    "path", sorted({item.path for dialect in DIALECTS for item in dialect.endpoints if item.method == "GET"})
)
def test_no_operation_returns_it_to_readers(
    client: FlaskClient, without_writing: Key, ids: dict[str, Any], path: str
) -> None:
    filled = {**ids, "workspace_name": "Research", "batch_id": NOBODY, "token": "x", "role": "member"}
    headers = without_writing.headers | {"X-Organization-ID": str(ids["organization_id"])}
    answer = client.get(path.format(**filled), headers=headers)
    assert SECRET not in answer.text


@on_sqlite
def test_no_page_or_export_contains_it(
    app: Flask, signed_in: Callable[[Person], FlaskClient], acme: Acme, ids: dict[str, Any]
) -> None:
    browser = signed_in(acme.owner)
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("pages.")]
    names = {"organization_id", "user_id", "invitation_id"}
    seen = 0
    for rule in rules:
        if "GET" in (rule.methods or ()) and set(rule.arguments) <= names:
            with app.test_request_context():
                url = rule.build({name: str(ids[name]) for name in rule.arguments})
            assert url is not None
            answer = browser.get(url[1])
            seen += answer.status_code == 200
            assert SECRET not in answer.text, rule.rule
    assert seen > 20


@on_sqlite
def test_audit_log_does_not_contain_it(client: FlaskClient, key: Key, ids: dict[str, Any]) -> None:
    path = f"/api/v1/organization/{ids['organization_id']}/audit"
    events = client.get(path, headers=key.headers).get_json()["data"]
    assert "member.metadata_changed" in {event["action"] for event in events}
    assert SECRET not in json.dumps(events)
