"""POST /v1/organizations/{organization_id}/members/invite, status by status."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from invite_app.api.almanac.invitations import InviteOrganizationMemberRequest
from invite_app.api.almanac.overview import HostedOrganizationInvitation
from invite_app.services import api_keys, invitations
from tests.support.databases import on_sqlite
from tests.support.factories import OPERATOR, Acme, Key, Person, configure, expire, invite, make_role
from tests.support.mail import SmtpServer

from .conftest import ANA, Post
from .published import (
    HOSTED_ORGANIZATION_INVITATION,
    HTTP_VALIDATION_ERROR,
    INVITE_ORGANIZATION_MEMBER_REQUEST,
    check,
)

NOBODY = "01980000-0000-7000-8000-000000000001"


def problem(kind: str, *place: str | int, msg: str, **rest: Any) -> dict[str, Any]:
    return {"type": kind, "loc": ["body", *place], "msg": msg, **rest}


def test_schemas_equal_the_published_ones() -> None:
    answer = HostedOrganizationInvitation.model_json_schema()
    for name in ("created_at", "expires_at"):
        assert answer["properties"][name].pop("default") is None  # absent from published schemas
    assert answer == HOSTED_ORGANIZATION_INVITATION
    assert InviteOrganizationMemberRequest.model_json_schema() == INVITE_ORGANIZATION_MEMBER_REQUEST


def test_200_returns_the_invitation(app: Flask, acme: Acme, post: Post) -> None:
    answer = post(email=" ANA@guest.example")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    shown = answer.get_json()
    check(shown, HOSTED_ORGANIZATION_INVITATION)
    created, expires = (datetime.fromisoformat(shown.pop(name)) for name in ("created_at", "expires_at"))
    assert (created.tzinfo, datetime.now(UTC) - created < timedelta(minutes=1)) == (UTC, True)
    assert timedelta(days=6, hours=23) < expires - created < timedelta(days=7, minutes=1)
    with app.app_context():
        (invitation,) = invitations.list_all(acme.id, by=acme.owner.actor)
    assert shown == {
        "invitation_id": str(invitation.id),
        "email": "ana@guest.example",
        "role": "member",
        "state": "pending",
    }


@pytest.mark.parametrize("role", ["Helpers", "helpers", "org:HELPERS"])
def test_200_with_any_spelling_of_the_role(app: Flask, acme: Acme, post: Post, role: str) -> None:
    with app.app_context():
        make_role(acme, "Helpers", ["members:read"])
    assert post(role=role).get_json()["role"] == "helpers"


def test_200_for_a_session_with_a_custom_header(
    url: str, acme: Acme, signed_in: Callable[[Person], FlaskClient]
) -> None:
    browser = signed_in(acme.admin)
    custom = {"X-Requested-With": "fetch"}
    assert browser.post(f"{url}/members/invite", json=ANA).status_code == 401
    assert browser.post(f"{url}/members/invite", json=ANA, headers=custom).status_code == 200


@on_sqlite
@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer ", "Bearer sk_unknown", "sk_unknown", "Basic eDp5"])
def test_401(post: Post, value: str | None) -> None:
    answer = post({} if value is None else {"Authorization": value})
    assert (answer.status_code, answer.get_json()) == (401, {"detail": "Sign in, or send a valid API key."})
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_401_with_a_revoked_key(app: Flask, acme: Acme, key: Key, post: Post) -> None:
    with app.app_context():
        api_keys.revoke(acme.id, key.id, by=OPERATOR)
    assert post().status_code == 401


def test_403(make_key: Callable[..., Key], post: Post) -> None:
    answer = post(make_key("member").headers)
    assert (answer.status_code, answer.get_json()) == (403, {"detail": "Your role does not allow this."})
    above = post(make_key("admin").headers, role="owner")
    assert (above.status_code, above.get_json()) == (
        403,
        {"detail": "You cannot grant Owner: your own role does not have all of its permissions."},
    )


def test_404_for_a_foreign_organization(client: FlaskClient, acme: Acme, foreign_key: Key) -> None:
    for organization in (acme.id, NOBODY, "x"):
        url = f"/v1/organizations/{organization}/members/invite"
        answer = client.post(url, json=ANA, headers=foreign_key.headers)
        assert (answer.status_code, answer.get_json()) == (404, {"detail": "Not Found"})


NOT_AN_OBJECT = "Input should be a valid dictionary or object to extract fields from"
MALFORMED: list[tuple[bytes, list[dict[str, Any]]]] = [
    (b"", [problem("missing", msg="Field required", input=None)]),
    (
        b"{}",
        [
            problem("missing", "email", msg="Field required", input={}),
            problem("missing", "role", msg="Field required", input={}),
        ],
    ),
    (b"[]", [problem("model_attributes_type", msg=NOT_AN_OBJECT, input=[])]),
    (
        b'{"email":"","role":5,"note":"x","state":"accepted"}',
        [
            problem(
                *("string_too_short", "email"),
                msg="String should have at least 1 character",
                input="",
                ctx={"min_length": 1},
            ),
            problem("string_type", "role", msg="Input should be a valid string", input=5),
            problem("extra_forbidden", "note", msg="Extra inputs are not permitted", input="x"),
            problem("extra_forbidden", "state", msg="Extra inputs are not permitted", input="accepted"),
        ],
    ),
]


@on_sqlite
@pytest.mark.parametrize(("body", "problems"), MALFORMED)
def test_422_lists_every_error_of_the_body(
    client: FlaskClient, url: str, key: Key, body: bytes, problems: list[dict[str, Any]]
) -> None:
    answer = client.post(f"{url}/members/invite", data=body, headers=key.headers, content_type="application/json")
    assert (answer.status_code, answer.get_json()) == (422, {"detail": problems})
    check(answer.get_json(), HTTP_VALIDATION_ERROR)


@on_sqlite
def test_422_for_a_body_that_is_not_json(client: FlaskClient, url: str, key: Key) -> None:
    answer = client.post(f"{url}/members/invite", data=b"{", headers=key.headers, content_type="application/json")
    error = "Expecting property name enclosed in double quotes"
    detail = problem("json_invalid", 1, msg="JSON decode error", input={}, ctx={"error": error})
    assert (answer.status_code, answer.get_json()) == (422, {"detail": [detail]})


def value_error(*place: str, msg: str, value: Any) -> dict[str, Any]:
    return problem("value_error", *place, msg=msg, input=value)


def test_422_for_unusable_values(app: Flask, acme: Acme, post: Post) -> None:
    with app.app_context():
        configure(acme, allowed_domains=["acme.example"])
    for changes, detail in (
        ({"email": "ana@"}, value_error("email", msg="Enter an email address, like name@example.com.", value="ana@")),
        ({}, value_error("email", msg="Only addresses at acme.example can be invited.", value="ana@guest.example")),
        (
            {"email": "ana@acme.example", "role": "boss"},
            value_error("role", msg="There is no role “boss” in this organization.", value="boss"),
        ),
    ):
        answer = post(**changes)
        assert (answer.status_code, answer.get_json()) == (422, {"detail": [detail]})
        check(answer.get_json(), HTTP_VALIDATION_ERROR)


@pytest.mark.parametrize(
    ("settings", "email", "message"),
    [
        ({"plan": "free"}, "ana@guest.example", "Inviting users is not available on the free plan."),
        ({"seat_limit": 4}, "ana@guest.example", "All 4 seats are in use."),
        ({}, "Member@acme.example", "member@acme.example is already a member."),
        ({}, "owner@acme.example", "You cannot invite yourself."),
        ({}, "BO@guest.example", "bo@guest.example is already invited."),
    ],
)
def test_422_for_conflicts_with_the_current_state(
    app: Flask, acme: Acme, post: Post, *, settings: dict[str, Any], email: str, message: str
) -> None:
    with app.app_context():
        invite(acme, "bo@guest.example")
        configure(acme, **settings)
    answer = post(email=email)
    (detail,) = answer.get_json()["detail"]
    assert (answer.status_code, detail["type"], detail["loc"]) == (422, "value_error", ["body"])
    assert detail["msg"].startswith(message)
    assert detail["input"] == {"email": email, "role": "member"}


def test_expired_invitation_does_not_block_a_new_one(app: Flask, acme: Acme, post: Post) -> None:
    with app.app_context():
        expire(invite(acme, "ana@guest.example"))
    assert post().status_code == 200


def test_503_when_the_mail_server_rejects(smtp_app: Flask, acme: Acme, key: Key, url: str, smtp: SmtpServer) -> None:
    smtp.fail("451 4.7.1 later")
    answer = smtp_app.test_client().post(f"{url}/members/invite", json=ANA, headers=key.headers)
    assert (answer.status_code, list(answer.get_json())) == (503, ["detail"])
    with smtp_app.app_context():
        assert invitations.list_all(acme.id, by=acme.owner.actor) == []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
BODIES = st.fixed_dictionaries({name: ANYTHING | st.just(value) for name, value in ANA.items()})


@on_sqlite
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES | ANYTHING)
def test_no_json_causes_a_server_error(client: FlaskClient, url: str, key: Key, body: Any) -> None:
    answer = client.post(f"{url}/members/invite", json=body, headers=key.headers)
    assert answer.status_code in (200, 422)
    check(answer.get_json(), HOSTED_ORGANIZATION_INVITATION if answer.status_code == 200 else HTTP_VALIDATION_ERROR)


@on_sqlite
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200))
def test_no_bytes_cause_a_server_error(client: FlaskClient, url: str, key: Key, body: bytes) -> None:
    answer = client.post(f"{url}/members/invite", data=body, headers=key.headers, content_type="application/json")
    assert answer.status_code == 422
    check(answer.get_json(), HTTP_VALIDATION_ERROR)
