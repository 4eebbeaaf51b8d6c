"""Permissions of keys, roles and organizations for every Clerk operation."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from invite_app.api.clerk import clerk
from invite_app.models.roles import PERMISSIONS
from invite_app.models.types import now
from invite_app.services import api_keys
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, Key, Person, invite, make_api_key, make_role

from .conftest import Call, errors_of

pytestmark = on_sqlite
HERE = "/v1/organizations/{organization_id}"
NEEDS: dict[tuple[str, str], str | None] = {
    ("GET", HERE): None,
    ("GET", "/v1/organization_roles"): None,
    ("POST", HERE + "/memberships"): "members:write",
    ("GET", HERE + "/memberships"): "members:read",
    ("PATCH", HERE + "/memberships/{user_id}"): "members:write",
    ("DELETE", HERE + "/memberships/{user_id}"): "members:write",
    ("PATCH", HERE + "/memberships/{user_id}/metadata"): "members:write",
    ("GET", "/v1/organization_memberships"): "members:read",
    ("GET", "/v1/users/{user_id}/organization_memberships"): "members:read",
    ("POST", HERE + "/invitations"): "invitations:write",
    ("POST", HERE + "/invitations/bulk"): "invitations:write",
    ("GET", HERE + "/invitations"): "invitations:read",
    ("GET", HERE + "/invitations/pending"): "invitations:read",
    ("GET", HERE + "/invitations/{invitation_id}"): "invitations:read",
    ("POST", HERE + "/invitations/{invitation_id}/revoke"): "invitations:write",
    ("GET", "/v1/organization_invitations"): "invitations:read",
    ("GET", "/v1/users/{user_id}/organization_invitations"): "invitations:read",
}
NOBODY = "01980000-0000-7000-8000-000000000001"
BODIES: dict[str, Any] = {
    "/memberships": {"user_id": NOBODY, "role": "member"},
    "/{user_id}": {"role": "admin"},
    "/invitations": {"email_address": "bo@guest.example", "role": "member"},
    "/bulk": [{"email_address": "bo@guest.example", "role": "member"}],
}
in_organization = [operation for operation in NEEDS if HERE in operation[1]]
Send = Callable[..., Any]


@pytest.fixture
def send(client: FlaskClient, app: Flask, acme: Acme) -> Send:
    """Send a valid request for an operation, by default with Acme's own ids."""
    with app.app_context():
        invitation = str(invite(acme, "ana@guest.example").id)

    def send(method: str, path: str, headers: dict[str, str], organization_id: Any = None) -> Any:
        url = path.format(
            organization_id=organization_id or acme.id, user_id=acme.member.id, invitation_id=invitation
        )
        body = next((body for end, body in BODIES.items() if path.endswith(end) and method != "GET"), None)
        return client.open(url, method=method, headers=headers, json=body)

    return send


def test_every_operation_is_covered(app: Flask) -> None:
    assert {(endpoint.method, endpoint.path): endpoint.permission for endpoint in clerk.endpoints} == NEEDS


def test_401_without_a_key_for_every_operation(send: Send) -> None:
    for operation in NEEDS:
        answers = [send(*operation, headers={}, organization_id=which) for which in (None, NOBODY, "x")]
        assert {(answer.status_code, answer.data) for answer in answers} == {(401, answers[0].data)}
        assert errors_of(answers[0]) == (401, [("clerk_key_invalid", None)])


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "authorization_header_format_invalid"),
        ("Bearer", "authorization_header_format_invalid"),
        ("Bearer ", "authorization_header_format_invalid"),
        ("sk_secret", "authorization_header_format_invalid"),
        ("Basic b3duZXI6cGFzc3dvcmQ=", "authorization_header_format_invalid"),
        ("Bearer sk_unknown", "clerk_key_invalid"),
        ("Bearer two words", "clerk_key_invalid"),
        ("Bearer sk_\xff", "clerk_key_invalid"),
    ],
)
def test_401_distinguishes_wrong_header_from_wrong_key(call: Call, header: str, code: str) -> None:
    answer = call("GET", "/organizations/{o}", headers={"Authorization": header})
    assert errors_of(answer) == (401, [(code, None)])
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_401_for_a_revoked_or_expired_key(app: Flask, acme: Acme, key: Key, send: Send) -> None:
    with app.app_context():
        ended = make_api_key(acme, expires_at=now() + timedelta(hours=1))
        revoked = make_api_key(acme)
        api_keys.revoke(acme.id, revoked.id, by=acme.owner.actor)
    for operation in NEEDS:
        assert errors_of(send(*operation, headers=revoked.headers)) == (401, [("clerk_key_invalid", None)])
    with time_machine.travel(now() + timedelta(hours=2), tick=False):
        for operation in NEEDS:
            assert errors_of(send(*operation, headers=ended.headers)) == (401, [("clerk_key_invalid", None)])


def test_403_without_permission_precedes_other_errors(
    app: Flask, acme: Acme, client: FlaskClient, send: Send
) -> None:
    forbidden = (403, [("missing_organization_permission", None)])
    for permission in {needed for needed in NEEDS.values() if needed}:
        with app.app_context():
            make_role(acme, f"All but {permission}", [name for name in PERMISSIONS if name != permission])
            weak = make_api_key(acme, f"All but {permission}")
        for (method, path), needed in NEEDS.items():
            if needed == permission:
                assert errors_of(send(method, path, headers=weak.headers)) == forbidden, (method, path)
                url = path.format(organization_id=acme.id, user_id="x", invitation_id="x")
                answer = client.open(url + "?limit=x", method=method, data=b"{", headers=weak.headers)
                assert errors_of(answer) == forbidden, (method, path)


def test_404_for_a_foreign_or_unknown_organization(
    app: Flask, globex: Acme, send: Send, key: Key, make_key: Callable[..., Key]
) -> None:
    for operation in in_organization:
        for which in (globex.id, NOBODY, "org_2ab", "a\0b", "%"):
            answer = send(*operation, headers=key.headers, organization_id=which)
            assert errors_of(answer) == (404, [("resource_not_found", None)]), (operation, which)


def test_404_for_ids_of_another_organization(
    app: Flask, client: FlaskClient, acme: Acme, globex: Acme, key: Key
) -> None:
    with app.app_context():
        foreign = str(invite(globex, "ana@guest.example").id)
    for method, path in in_organization:
        if "{user_id}" in path or "{invitation_id}" in path:
            url = path.format(organization_id=acme.id, user_id=globex.member.id, invitation_id=foreign)
            body = {"role": "admin"} if path.endswith("{user_id}") and method == "PATCH" else None
            answer = client.open(url, method=method, headers=key.headers, json=body)
            assert answer.status_code == 404, (method, path)


def test_lower_role_changes_nobody_above_it(call: Call, app: Flask, acme: Acme, make_key: Callable[..., Key]) -> None:
    weak = make_key("admin").headers
    path = f"/organizations/{{o}}/memberships/{acme.owner.id}"
    forbidden = (403, [("missing_organization_permission", None)])
    assert errors_of(call("PATCH", path, {"role": "member"}, headers=weak)) == forbidden
    assert errors_of(call("PATCH", path + "/metadata", {"public_metadata": {}}, headers=weak)) == forbidden
    assert errors_of(call("DELETE", path, headers=weak)) == forbidden
    above = (403, [("missing_organization_permission", "role")])
    mine = f"/organizations/{{o}}/memberships/{acme.member.id}"
    assert errors_of(call("PATCH", mine, {"role": "owner"}, headers=weak)) == above
    invitation = {"email_address": "bo@guest.example", "role": "owner"}
    assert errors_of(call("POST", "/organizations/{o}/invitations", invitation, headers=weak)) == above
    assert errors_of(call("POST", "/organizations/{o}/invitations/bulk", [invitation], headers=weak)) == above


def test_session_cookie_authenticates_too(signed_in: Callable[[Person], FlaskClient], acme: Acme) -> None:
    browser, url = signed_in(acme.admin), f"/v1/organizations/{acme.id}/invitations"
    assert browser.get("/v1/organization_memberships").get_json()["total_count"] == 3
    body = {"email_address": "bo@guest.example", "role": "member"}
    assert errors_of(browser.post(url, json=body)) == (401, [("clerk_key_invalid", None)])
    made = browser.post(url, json=body, headers={"X-Requested-With": "fetch"})
    assert made.get_json()["inviter_id"] == str(acme.admin.id)


def test_query_count_does_not_grow_with_rows(
    call: Call, app: Flask, acme: Acme, count_queries: Callable[[], Any]
) -> None:
    paths = [path for method, path in NEEDS if method == "GET" and "{user_id}" not in path]

    def costs() -> list[int]:
        found = []
        for path in paths:
            url = path.removeprefix("/v1").replace("{organization_id}", "{o}").replace("{invitation_id}", "pending")
            with count_queries() as statements:
                assert call("GET", url).status_code == 200
            found.append(len(statements))
        return found

    with app.app_context():
        invite(acme)
    call("GET", "/organizations/{o}")  # records the key's use, unlike later requests
    before = costs()
    with app.app_context():
        for number in range(5):
            invite(acme, f"guest-{number}@guest.example")
            make_role(acme, f"Role {number}", [])
    assert costs() == before
    assert max(before) <= 8
