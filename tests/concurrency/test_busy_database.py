"""A database that blocks a request for too long results in 503, in the format of every interface."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import click
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from invite_app.config import read_settings
from invite_app.db import Timeouts, read_timeouts, session, transaction
from invite_app.errors import ConfigurationError
from invite_app.extensions import db as database
from invite_app.models import Invitation
from tests.support.databases import BASE, on_postgres, on_sqlite
from tests.support.factories import Acme, make_api_key
from tests.support.locking import locked_organization, locked_table
from tests.support.visitor import Visitor

SENTENCE = "The server is busy. Try again in 5 seconds."
ANA = {"email": "ana@guest.example", "given_name": "Ana", "family_name": "Guest", "role": "member"}
CLERK = {"errors": [{"message": "service busy", "long_message": SENTENCE, "code": "service_busy"}]}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(INVITE_DB_LOCK_TIMEOUT="0.3")


@pytest.fixture
def secret(app: Flask, acme: Acme) -> str:
    with app.app_context():
        return make_api_key(acme).secret


def assert_busy(answer: TestResponse) -> None:
    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "5"), answer.text[:300]


# Path, body and response of each dialect.
INVITING: list[tuple[str, dict[str, Any], Any]] = [
    ("/api/v1/organization/{}/invitation", ANA, {"detail": SENTENCE}),
    ("/v1/organizations/{}/invitations", {"email_address": "ana@guest.example", "role": "org:member"}, CLERK),
    (
        "/api/invitation",
        {
            "organization_id": "{}",
            "email": "ana@guest.example",
            "app_url": "http://localhost",
            "redirect_uri": "http://localhost/",
            "user_role": 0,
        },
        {"message": SENTENCE},
    ),
]


@pytest.mark.parametrize("case", INVITING, ids=["deepset", "clerk", "trieve"])
def test_locked_organization_is_503_in_each_dialect(
    client: FlaskClient, acme: Acme, secret: str, database_url: str, case: tuple[str, dict[str, Any], Any]
) -> None:
    path, body, answered = case
    headers = {"Authorization": f"Bearer {secret}"}
    body = {name: str(acme.id) if value == "{}" else value for name, value in body.items()}
    with locked_organization(database_url, acme.id):
        answer = client.post(path.format(acme.id), json=body, headers=headers)
    assert_busy(answer)
    assert answer.get_json() == answered
    assert client.post(path.format(acme.id), json=body, headers=headers).status_code < 300


def test_locked_organization_keeps_the_form_as_typed(app: Flask, acme: Acme, database_url: str) -> None:
    owner = Visitor(app).sign_in(acme.owner)
    form = f"/organizations/{acme.id}/invitations/new"
    token = owner.token(form)
    with locked_organization(database_url, acme.id):
        answer = owner.client.post(form, data={**ANA, "csrf_token": token})
    assert_busy(answer)
    assert SENTENCE in answer.text
    assert 'value="ana@guest.example"' in answer.text


@on_postgres
def test_unreadable_page_is_503(app: Flask, acme: Acme, database_url: str) -> None:
    owner = Visitor(app).sign_in(acme.owner)
    with locked_table(database_url, "memberships"):
        answer = owner.client.get(f"/organizations/{acme.id}/members")
    assert_busy(answer)
    assert SENTENCE in answer.text


@on_postgres
def test_slow_statement_is_503(make_app: Callable[..., Flask], acme: Acme, secret: str, database_url: str) -> None:
    client = make_app(INVITE_DB_LOCK_TIMEOUT="0", INVITE_DB_STATEMENT_TIMEOUT="0.3").test_client()
    with locked_table(database_url, "memberships"):
        answer = client.get(f"/v1/organizations/{acme.id}", headers={"Authorization": f"Bearer {secret}"})
    assert_busy(answer)


@on_postgres
def test_exhausted_pool_is_503(app: Flask, client: FlaskClient, acme: Acme, secret: str) -> None:
    with ExitStack() as taken, app.app_context():
        for _ in range(20):
            taken.enter_context(database.engine.connect())
        assert_busy(client.get(f"/v1/organizations/{acme.id}", headers={"Authorization": f"Bearer {secret}"}))


@on_postgres
def test_settings_define_the_limits(make_app: Callable[..., Flask]) -> None:
    with make_app(INVITE_DB_LOCK_TIMEOUT="1.5", INVITE_DB_STATEMENT_TIMEOUT="7").app_context():
        names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
        assert [session().scalar(text(f"SHOW {name}")) for name in names] == ["1500ms", "7s", "7s"]


def test_failed_request_changes_nothing(app: Flask, acme: Acme, secret: str, database_url: str) -> None:
    with locked_organization(database_url, acme.id):
        answer = app.test_client().post(
            f"/api/v1/organization/{acme.id}/invitation",
            json=ANA,
            headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "one"},
        )
    assert_busy(answer)
    with app.app_context(), transaction():
        assert session().query(Invitation).count() == 0


@on_sqlite
def test_blocked_sqlite_writer_is_503(app: Flask, acme: Acme, secret: str) -> None:
    """Another thread of this process holds SQLite's write lock."""
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "one"}
    path = f"/api/v1/organization/{acme.id}/invitation"
    with ThreadPoolExecutor(1) as pool, app.app_context(), transaction():
        answer = pool.submit(lambda: app.test_client().post(path, json=ANA, headers=headers)).result(10)
        assert_busy(answer)
    assert app.test_client().post(path, json=ANA, headers=headers).status_code == 201


@pytest.mark.parametrize(
    ("command", "limits"), [("flask", Timeouts(0, 0)), ("invite", Timeouts(0, 0)), ("run", Timeouts(10, 60))]
)
def test_commands_without_a_server_have_no_limits(command: str, limits: Timeouts) -> None:
    with click.Context(click.Command(command), info_name=command):
        assert read_timeouts({"DB_LOCK_TIMEOUT": 10, "DB_STATEMENT_TIMEOUT": 60}) == limits


def test_operators_options_take_precedence() -> None:
    ours = "-c lock_timeout=1500 -c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
    assert Timeouts(1.5, 0).startup_options("-c lock_timeout=9") == f"{ours} -c lock_timeout=9"


@pytest.mark.parametrize("value", ["-1", "soon", "inf"])
def test_limit_that_is_not_a_number_prevents_start(value: str) -> None:
    with pytest.raises(ConfigurationError, match="INVITE_DB_LOCK_TIMEOUT must be a number of seconds"):
        read_settings({**BASE, "INVITE_DB_LOCK_TIMEOUT": value})
