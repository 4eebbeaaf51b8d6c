"""POST /api/invitation over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from invite_app.services import invitations
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, Key, configure, expire, invite, make_role

from .conftest import ANA, Post


def test_204_has_no_body(post: Post) -> None:
    answer = post()
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Content-Type" not in answer.headers


def test_body_may_use_camel_case(app: Flask, client: FlaskClient, acme: Acme, headers: dict[str, str]) -> None:
    body = {
        "appUrl": "http://localhost",
        "email": "ana@guest.example",
        "organizationId": str(acme.id),
        "redirectUri": "http://localhost/",
        "userRole": 1,
    }
    assert client.post("/api/invitation", json=body, headers=headers).status_code == 204
    with app.app_context():
        (invitation,) = invitations.list_all(acme.id, by=acme.owner.actor)
        assert (invitation.app_url, invitation.redirect_uri) == ("http://localhost", "http://localhost/")
        assert invitation.role_name == "Admin"


@pytest.mark.parametrize("extra", [{"scopes": None}, {"scopes": ["GET /api/x", 1]}, {"shoe_size": 43}])
def test_scopes_and_unknown_fields_are_ignored(post: Post, extra: dict[str, Any]) -> None:
    assert post(**extra).status_code == 204


def test_address_is_trimmed_and_replaces_an_expired_invitation(app: Flask, acme: Acme, post: Post) -> None:
    with app.app_context():
        expire(invite(acme, "ana@guest.example"))
    assert post(email="  ANA@guest.example\n").status_code == 204


def test_other_origins_must_be_allowed(app: Flask, acme: Acme, post: Post) -> None:
    assert post(app_url="https://app.example").status_code == 400
    with app.app_context():
        configure(acme, allowed_origins=["https://app.example"])
    assert post(app_url="https://app.example").status_code == 204


MALFORMED: list[tuple[bytes, str]] = [
    (b"", "missing field `body`"),
    (b"{", "Expecting property name enclosed in double quotes at position 1"),
    (b"[]", "invalid field `body`: Input should be a valid dictionary or object to extract fields from"),
    (b'"x"', "invalid field `body`: Input should be a valid dictionary or object to extract fields from"),
    (
        b"{}",
        "missing field `app_url`; missing field `email`; missing field `redirect_uri`; missing field `user_role`",
    ),
]


@on_sqlite
@pytest.mark.parametrize(("body", "reason"), MALFORMED)
def test_400_for_a_malformed_body(client: FlaskClient, headers: dict[str, str], body: bytes, reason: str) -> None:
    answer = client.post("/api/invitation", data=body, headers=headers, content_type="application/json")
    assert (answer.status_code, answer.content_type) == (400, "application/json")
    assert answer.get_json() == {"message": f"Json Deserialization Error: {reason}"}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"email": 5}, "invalid field `email`: Input should be a valid string"),
    ({"app_url": None}, "invalid field `app_url`: Input should be a valid string"),
    ({"redirect_uri": []}, "invalid field `redirect_uri`: Input should be a valid string"),
    *(
        ({"user_role": value}, "invalid field `user_role`: Input should be a valid integer")
        for value in ("1", "admin", True, None, [0])
    ),
    ({"user_role": -1}, "invalid field `user_role`: Input should be greater than or equal to 0"),
    ({"user_role": 1.5}, "invalid field `user_role`: Input should be a valid integer"),
    ({"user_role": 1.0}, "invalid field `user_role`: Input should be a valid integer"),
    ({"scopes": "all"}, "invalid field `scopes`: Input should be a valid list"),
]


@on_sqlite
@pytest.mark.parametrize(("changes", "reason"), WRONG)
def test_400_names_the_field_of_wrong_type(post: Post, changes: dict[str, Any], reason: str) -> None:
    answer = post(**changes)
    assert (answer.status_code, answer.get_json()) == (400, {"message": f"Json Deserialization Error: {reason}"})


@on_sqlite
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_400_for_another_content_type(client: FlaskClient, headers: dict[str, str], content_type: str) -> None:
    answer = client.post("/api/invitation", data=b'{"email":"a"}', headers=headers, content_type=content_type)
    assert answer.status_code == 400
    assert answer.get_json()["message"].startswith("Json Deserialization Error: ")


@on_sqlite
def test_413_for_a_large_body(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.post("/api/invitation", json={**ANA, "scopes": ["x" * 1_100_000]}, headers=headers)
    assert (answer.status_code, answer.get_json()) == (413, {"message": "Request Entity Too Large"})


@pytest.mark.parametrize("number", [3, 7, 10**30])
def test_number_above_all_roles_names_no_custom_role(app: Flask, acme: Acme, post: Post, number: int) -> None:
    with app.app_context():
        make_role(acme, str(number), ["members:read"])
    answer = post(user_role=number)
    assert (answer.status_code, answer.get_json()) == (
        400,
        {"message": "Can not invite user with higher role than yours"},
    )


def test_first_error_is_reported(
    app: Flask, acme: Acme, globex: Acme, make_key: Callable[..., Key], post: Post
) -> None:
    """The order: key, organization, permission, shape, values, escalation, plan, member, pending, seats."""
    org, foreign = str(acme.id), str(globex.id)
    admin = {"TR-Organization": org, "Authorization": make_key("admin").secret}
    member = {"TR-Organization": org, "Authorization": make_key("member").secret}
    with app.app_context():
        invite(acme, "bo@guest.example")
        configure(acme, plan="free", seat_limit=4)
    nonsense: dict[str, Any] = {"email": "ana@", "user_role": 2, "app_url": 5}
    above: dict[str, Any] = {"email": "member@acme.example", "user_role": 2}
    assert post({"TR-Organization": foreign}, **nonsense).status_code == 401
    assert post({**member, "TR-Organization": foreign}, **nonsense).status_code == 404
    assert post(member, **nonsense).status_code == 403
    assert "Json Deserialization" in post(admin, **nonsense).get_json()["message"]
    assert post(admin, **{**nonsense, "app_url": "http://localhost"}).get_json() == {"message": "Invalid email"}
    assert post(admin, **{**above, "email": "ana@", "user_role": 3}).get_json() == {"message": "Invalid email"}
    assert post(admin, **above).get_json() == {"message": "Can not invite user with higher role than yours"}
    assert "free plan" in post(admin, **{**above, "user_role": 0}).get_json()["message"]
    with app.app_context():
        configure(acme, plan="paid")
    assert "already in the organization" in post(admin, **{**above, "user_role": 0}).get_json()["message"]
    assert "already been invited" in post(admin, email="bo@guest.example").get_json()["message"]
    assert post(admin).get_json()["message"].startswith("All 4 seats are in use.")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
BODIES = st.fixed_dictionaries({name: ANYTHING | st.just(value) for name, value in ANA.items()})


@on_sqlite
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES | ANYTHING, organization=st.none() | ANYTHING)
def test_no_json_causes_a_server_error(
    client: FlaskClient, headers: dict[str, str], body: Any, organization: Any
) -> None:
    if isinstance(body, dict) and organization is not None:
        body = {**body, "organization_id": organization}
    answer = client.post("/api/invitation", json=body, headers=headers)
    assert answer.status_code in (204, 400, 413)
    assert answer.status_code == 204 or answer.get_json()["message"]


@on_sqlite
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=200), content_type=st.sampled_from(["application/json", "application/json; charset=x"])
)
def test_no_bytes_cause_a_server_error(
    client: FlaskClient, headers: dict[str, str], body: bytes, content_type: str
) -> None:
    answer = client.post("/api/invitation", data=body, headers=headers, content_type=content_type)
    assert (answer.status_code, list(answer.get_json())) == (400, ["message"])
