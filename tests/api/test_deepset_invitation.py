"""POST /api/v1/organization/{organization_id}/invitation, status by status, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from invite_app.db import is_sqlite
from invite_app.extensions import db as database
from invite_app.services import api_keys, invitations
from tests.support.factories import Acme, Key, configure, expire, invite, make_organization, make_role
from tests.support.mail import SmtpServer

ANA = {"given_name": "Ana", "family_name": "Guest", "email": "ana@guest.example", "role": "member"}
NOBODY = "01980000-0000-7000-8000-000000000001"
Post = Callable[..., TestResponse]


def url_of(acme: Acme) -> str:
    return f"/api/v1/organization/{acme.id}/invitation"


@pytest.fixture
def post(client: FlaskClient, acme: Acme, key: Key) -> Post:
    """Invite Ana with the owner's key, unless the arguments say otherwise."""

    def post(headers: dict[str, str] | None = None, **changes: Any) -> TestResponse:
        return client.post(url_of(acme), json={**ANA, **changes}, headers=key.headers if headers is None else headers)

    return post


def test_201_returns_the_invitation(post: Post, acme: Acme) -> None:
    answer = post(workspace_ids=[str(acme.workspaces[0])])
    assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/json")
    shown = answer.get_json()
    assert {name: shown[name] for name in ("organization_id", "workspace_ids", "state", "delivery", "why")} == {
        "organization_id": str(acme.id),
        "workspace_ids": [str(acme.workspaces[0])],
        "state": "pending",
        "delivery": "sent",
        "why": "delivered",
    }
    assert {name: shown[name] for name in ANA} == ANA
    assert shown["invited_by"] == "Olivia Owner"


def test_201_writes_utf8_unescaped(post: Post) -> None:
    answer = post(given_name="Zoë", family_name="Nuñez 東")
    assert '"given_name":"Zoë","family_name":"Nuñez 東"'.encode() in answer.data


def test_201_ignores_unknown_fields(post: Post) -> None:
    assert post(shoe_size=43).status_code == 201


@pytest.mark.parametrize("role", ["member", "Member", "MEMBER", "org:member", "Helpers", "helpers"])
def test_201_with_any_spelling_of_the_role(app: Flask, acme: Acme, post: Post, role: str) -> None:
    with app.app_context():
        make_role(acme, "Helpers", ["members:read"])
    assert post(role=role).get_json()["role"] == role.lower().removeprefix("org:")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer sk_unknown"},
        {"Authorization": "Bearer sk_\xff"},
        {"Authorization": "Basic b3duZXI6cGFzc3dvcmQ="},
        {"Authorization": "sk_unknown"},
        {"X-Requested-With": "fetch"},
    ],
)
def test_401(post: Post, headers: dict[str, str]) -> None:
    answer = post(headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.data == b'{"detail":"Sign in, or send a valid API key."}'


def test_401_without_the_scheme(post: Post, key: Key) -> None:
    assert post({"Authorization": key.secret}).status_code == 401


def test_scheme_ignores_case(post: Post, key: Key) -> None:
    assert post({"Authorization": f"bearer {key.secret}"}).status_code == 201


def test_401_precedes_errors_of_the_organization(client: FlaskClient, acme: Acme) -> None:
    answers = [client.post(f"/api/v1/organization/{which}/invitation") for which in (acme.id, NOBODY, "x")]
    assert {(answer.status_code, answer.data) for answer in answers} == {(401, answers[0].data)}


def test_402_on_the_free_plan(app: Flask, acme: Acme, post: Post) -> None:
    with app.app_context():
        configure(acme, plan="free")
    answer = post()
    assert answer.status_code == 402
    assert answer.get_json() == {
        "detail": "Inviting users is not available on the free plan. To invite team members, please upgrade to a "
        "paid plan."
    }


def test_402_without_a_free_seat(app: Flask, acme: Acme, post: Post) -> None:
    with app.app_context():
        configure(acme, seat_limit=3)
    assert (post().status_code, post().get_json()) == (
        402,
        {"detail": "All 3 seats are in use. Revoke an invitation or raise the limit."},
    )


def test_403_without_the_permission(post: Post, make_key: Callable[..., Key]) -> None:
    answer = post(make_key("member").headers)
    assert (answer.status_code, answer.data) == (403, b'{"detail":"Your role does not allow this."}')


def test_403_comes_before_422(post: Post, make_key: Callable[..., Key]) -> None:
    assert post(make_key("member").headers, email=None, role=3).status_code == 403


def test_403_for_a_role_above_the_callers(app: Flask, acme: Acme, post: Post, make_key: Callable[..., Key]) -> None:
    assert post(make_key("admin").headers, role="admin").status_code == 201
    answer = post(make_key("admin").headers, role="owner", email="bo@guest.example")
    assert (answer.status_code, answer.get_json()) == (
        403,
        {"detail": "You cannot grant Owner: your own role does not have all of its permissions."},
    )


def test_403_depends_on_permissions_not_names(
    app: Flask, acme: Acme, post: Post, make_key: Callable[..., Key]
) -> None:
    """A key has the permissions of both its role and its user."""
    with app.app_context():
        make_role(acme, "Inviter", ["invitations:write", "members:read"])
        make_role(acme, "Auditor", ["audit:read"])
    assert post(make_key("inviter").headers, role="member").status_code == 201
    assert post(make_key("inviter").headers, role="auditor", email="bo@guest.example").status_code == 403
    assert post(make_key("owner", user=acme.member).headers, email="cy@guest.example").status_code == 403


@pytest.mark.parametrize("organization", [NOBODY, "x", "1", "%00", "a%20b", "nul%E2%80%8B"])
def test_404_for_an_unknown_organization(client: FlaskClient, key: Key, organization: str) -> None:
    answer = client.post(f"/api/v1/organization/{organization}/invitation", json=ANA, headers=key.headers)
    assert (answer.status_code, answer.data) == (404, b'{"detail":"Not Found"}')


def test_404_for_a_foreign_organization(app: Flask, client: FlaskClient, key: Key) -> None:
    with app.app_context():
        other = make_organization("Other")
    for body in (ANA, {}):
        answer = client.post(url_of(other), json=body, headers=key.headers)
        assert (answer.status_code, answer.data) == (404, b'{"detail":"Not Found"}')


def test_409_for_a_member(post: Post, acme: Acme) -> None:
    answer = post(email=acme.member.email.upper())
    assert (answer.status_code, answer.data) == (
        409,
        b'{"detail":"The user already belongs to the organization."}',
    )


def test_409_for_a_pending_invitation(app: Flask, acme: Acme, post: Post) -> None:
    with app.app_context():
        pending = invite(acme).id
    answer = post(email=" Ana@Guest.example ")
    assert (answer.status_code, answer.data) == (409, b'{"detail":"ana@guest.example is already invited."}')
    with app.app_context():
        expire(pending)
    assert post().status_code == 201


def test_503_stores_nothing(smtp_app: Flask, smtp: SmtpServer, acme: Acme, key: Key) -> None:
    smtp.fail("451 4.7.1 later", times=1)
    client = smtp_app.test_client()
    answer = client.post(url_of(acme), json=ANA, headers=key.headers)
    assert (answer.status_code, answer.data) == (503, b'{"detail":"Something went wrong during signup."}')
    again = client.post(url_of(acme), json=ANA, headers=key.headers)
    assert (again.status_code, again.get_json()["delivery"]) == (201, "sent")
    assert smtp.wait_for(1)[0].recipients == ["ana@guest.example"]


@pytest.mark.parametrize("at", ["connect", "ehlo", "rcpt", "data"])
def test_503_for_every_mail_server_failure(smtp_app: Flask, smtp: SmtpServer, acme: Acme, key: Key, at: Any) -> None:
    smtp.drop(at=at)
    answer = smtp_app.test_client().post(url_of(acme), json=ANA, headers=key.headers)
    assert answer.status_code == 503
    with smtp_app.app_context():
        assert invitations.list_page(acme.id, by=acme.owner.actor).total == 0


def test_422_when_the_mail_server_rejects_the_address(
    smtp_app: Flask, smtp: SmtpServer, acme: Acme, key: Key
) -> None:
    smtp.fail("550 5.1.1 no such user", at="rcpt")
    answer = smtp_app.test_client().post(url_of(acme), json=ANA, headers=key.headers)
    assert answer.status_code == 422
    assert answer.get_json()["detail"][0]["loc"] == ["body", "email"]


def test_revoked_key_stops_working_immediately(app: Flask, acme: Acme, post: Post, key: Key) -> None:
    with app.app_context():
        api_keys.revoke(acme.id, key.id, by=acme.owner.actor)
    assert post().status_code == 401


def test_statement_count_is_low_and_constant(
    app: Flask, post: Post, acme: Acme, count_queries: Callable[..., Any]
) -> None:
    """The first request also identifies the key. PostgreSQL sends several statements in one round trip."""
    post()
    with count_queries() as few:
        post(email="bo@guest.example")
    with count_queries() as many:
        post(email="cy@guest.example", workspace_ids=[str(workspace) for workspace in acme.workspaces])
    with app.app_context():
        assert len(few) == (6 if is_sqlite(database.engine) else 4)
    assert len(many) == len(few) + 2
