"""Selecting the organization of a request, and authenticating for it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from invite_app.services import api_keys, invitations
from tests.support.factories import OPERATOR, Acme, Key, Person, add_member, invite

from .conftest import ANA, Post

UNCLEAR = {"message": "Could not convert Organization to UUID"}
MISSING = {"message": "The TR-Organization header is missing"}
TWO = {"message": "The body names another organization than the header"}
UNKNOWN = {"message": "Not Found: Organization not found"}
UNAUTHORIZED = {"message": "Unauthorized"}
NOBODY = "01980000-0000-7000-8000-000000000001"


def invited(app: Flask, acme: Acme) -> list[str]:
    with app.app_context():
        return [found.email for found in invitations.list_all(acme.id, by=acme.owner.actor)]


@pytest.mark.parametrize("header", ["TR-Organization", "tr-organization", "X-Organization", "X-Organization-ID"])
def test_header_names_the_organization(app: Flask, acme: Acme, key: Key, post: Post, header: str) -> None:
    assert post({header: str(acme.id), "Authorization": key.secret}).status_code == 204
    assert invited(app, acme) == ["ana@guest.example"]


@pytest.mark.parametrize("field", ["organization_id", "organizationId"])
def test_body_names_the_organization_for_a_key(acme: Acme, globex: Acme, key: Key, post: Post, field: str) -> None:
    alone = {"Authorization": key.secret}
    assert post(alone, **{field: str(acme.id)}).status_code == 204
    foreign = post(alone, **{field: str(globex.id)})
    assert (foreign.status_code, foreign.get_json()) == (404, UNKNOWN)


def test_request_without_an_organization_is_refused(
    app: Flask, client: FlaskClient, acme: Acme, key: Key, signed_in: Callable[[Person], FlaskClient]
) -> None:
    with app.app_context():
        invitation_id = invite(acme, "bo@guest.example").id
    unnamed = [
        ("POST", "/api/invitation", ANA),
        ("PUT", "/api/user", {"user_id": str(acme.member.id), "role": 1}),
        ("DELETE", f"/api/invitation/{invitation_id}", None),
    ]
    senders = [(client, {"Authorization": key.secret}), (signed_in(acme.owner), {"X-Requested-With": "fetch"})]
    for sender, headers in senders:
        for method, path, body in unnamed:
            answer = sender.open(path, method=method, json=body, headers=headers)
            assert (answer.status_code, answer.get_json()) == (400, MISSING)
    assert invited(app, acme) == ["bo@guest.example"]


def test_header_and_body_may_both_name_it(acme: Acme, headers: dict[str, str], post: Post) -> None:
    assert post({**headers, "TR-Organization": acme.id.hex.upper()}, organization_id=str(acme.id)).status_code == 204


def test_two_different_organizations_are_refused(
    app: Flask, acme: Acme, globex: Acme, headers: dict[str, str], post: Post
) -> None:
    for in_body in (globex.id, UUID(NOBODY)):
        answer = post(headers, organization_id=str(in_body))
        assert (answer.status_code, answer.get_json()) == (400, TWO)
    foreign = post({**headers, "TR-Organization": str(globex.id)}, organization_id=str(acme.id))
    assert (foreign.status_code, foreign.get_json()) == (404, UNKNOWN)
    assert invited(app, acme) == []


def test_malformed_id_is_refused(headers: dict[str, str], post: Post) -> None:
    for wrong in ("", "acme", "123"):
        answer = post({**headers, "TR-Organization": wrong})
        assert (answer.status_code, answer.get_json()) == (400, UNCLEAR)
    for wrong_in_body in ("acme", 5, ["x"]):
        answer = post(headers, organization_id=wrong_in_body)
        assert "invalid field `organization_id`" in answer.get_json()["message"]


def test_foreign_organization_in_the_path_is_refused(
    client: FlaskClient, globex: Acme, headers: dict[str, str]
) -> None:
    foreign = f"/api/organization/{globex.id}/user/{globex.member.id}"
    for method, path in (
        ("GET", f"/api/invitations/{globex.id}"),
        ("GET", f"/api/organization/{globex.id}"),
        ("GET", f"/api/organization/users/{globex.id}"),
        ("DELETE", foreign),
    ):
        answer = client.open(path, method=method, headers=headers)
        assert (answer.status_code, answer.get_json()) == (404, UNKNOWN)


# --- with the session cookie ---


def test_session_needs_a_header_other_sites_cannot_send(
    app: Flask, acme: Acme, signed_in: Callable[[Person], FlaskClient]
) -> None:
    browser = signed_in(acme.owner)
    with app.app_context():
        invitation_id = invite(acme, "bo@guest.example").id
    in_body = {"organization_id": str(acme.id)}
    unsafe: list[tuple[str, str, dict[str, Any] | None]] = [
        ("POST", "/api/invitation", {**ANA, **in_body}),
        ("PUT", "/api/user", {"user_id": str(acme.member.id), "role": 1, **in_body}),
        ("DELETE", f"/api/invitation/{invitation_id}", None),
        ("DELETE", f"/api/organization/{acme.id}/user/{acme.member.id}", None),
    ]
    for method, path, body in unsafe:
        answer = browser.open(path, method=method, json=body)
        assert (answer.status_code, answer.get_json()) == (401, UNAUTHORIZED)
    for header in ("TR-Organization", "X-Organization"):
        for method, path, body in unsafe[1:2]:
            assert browser.open(path, method=method, json=body, headers={header: str(acme.id)}).status_code == 204
    assert browser.get(f"/api/invitations/{acme.id}").status_code == 200
    assert invited(app, acme) == ["bo@guest.example"]


def test_body_does_not_choose_for_a_session(
    app: Flask, acme: Acme, globex: Acme, signed_in: Callable[[Person], FlaskClient]
) -> None:
    with app.app_context():
        add_member(globex, acme.owner, role="owner")
    browser = signed_in(acme.owner)
    custom = {"X-Requested-With": "fetch"}
    answer = browser.post("/api/invitation", json={**ANA, "organization_id": str(globex.id)}, headers=custom)
    assert (answer.status_code, answer.get_json()) == (400, MISSING)
    assert invited(app, globex) == []


def test_session_must_name_one_organization_everywhere(
    acme: Acme, globex: Acme, signed_in: Callable[[Person], FlaskClient]
) -> None:
    browser, custom = signed_in(acme.owner), {"TR-Organization": str(acme.id)}
    assert browser.post("/api/invitation", json=ANA, headers=custom).status_code == 204
    other = browser.post("/api/invitation", json={**ANA, "organization_id": str(globex.id)}, headers=custom)
    assert (other.status_code, other.get_json()) == (400, TWO)


# --- keys ---


@pytest.mark.parametrize(
    "sent",
    [
        lambda secret: {"Authorization": secret},
        lambda secret: {"Authorization": f"Bearer {secret}"},
        lambda secret: {"Authorization": f"bearer  {secret} "},
        lambda secret: {"X-API-KEY": secret},
        lambda secret: {"x-api-key": f"Bearer {secret}"},
    ],
)
def test_key_is_accepted_without_a_scheme(
    client: FlaskClient, key: Key, sent: Callable[[str], dict[str, str]]
) -> None:
    assert client.get("/api/auth/me", headers=sent(key.secret)).status_code == 200


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "sk_unknown", "Basic b3duZXI6eA==", "sk_\xff"])
@pytest.mark.parametrize("header", ["Authorization", "X-API-KEY"])
def test_other_credentials_are_refused(client: FlaskClient, header: str, value: str) -> None:
    answer = client.get("/api/auth/me", headers={header: value})
    assert (answer.status_code, answer.get_json()) == (401, UNAUTHORIZED)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_revoked_key_stops_working(app: Flask, acme: Acme, key: Key, post: Post) -> None:
    with app.app_context():
        api_keys.revoke(acme.id, key.id, by=OPERATOR)
    answer = post()
    assert (answer.status_code, answer.get_json()) == (401, UNAUTHORIZED)
    assert invited(app, acme) == []
