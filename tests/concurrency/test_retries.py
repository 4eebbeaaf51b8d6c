"""Work that the database aborted is retried as a whole, unless something was committed."""

import threading
from collections.abc import Callable
from typing import Any, NoReturn
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from invite_app.db import retries, session, transaction
from invite_app.models import Invitation, Organization
from tests.support.databases import on_postgres
from tests.support.factories import Acme, invite, make_api_key, make_organization
from tests.support.locking import other_session
from tests.support.visitor import Visitor

ANA = {"email": "ana@guest.example", "given_name": "Ana", "family_name": "Guest", "role": "member"}
FIRST, SECOND = UUID(int=1), UUID(int=2)


def cut_connections(url: str) -> None:
    """End every other session on the database, as its restart does."""
    with other_session(url) as cutting:
        cutting.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def give_up(error: type[psycopg.Error]) -> NoReturn:
    raise DBAPIError.instance("", None, error(), psycopg.Error)  # type: ignore[misc]  # it returns an exception


@on_postgres
class TestLostConnection:
    def test_is_hidden_from_page_requests(self, app: Flask, acme: Acme, database_url: str) -> None:
        owner = Visitor(app).sign_in(acme.owner)
        owner.get(f"/organizations/{acme.id}/members")
        cut_connections(database_url)
        owner.get(f"/organizations/{acme.id}/members")

    def test_is_hidden_from_api_requests(self, app: Flask, acme: Acme, database_url: str) -> None:
        with app.app_context():
            headers = make_api_key(acme).headers
        client, path = app.test_client(), f"/v1/organizations/{acme.id}"
        assert client.get(path, headers=headers).status_code == 200
        cut_connections(database_url)
        assert client.get(path, headers=headers).status_code == 200

    def test_within_a_transaction_is_not_retried(self, app: Flask, app_context: None, database_url: str) -> None:
        tries = []

        def write() -> None:
            with transaction() as writing:
                tries.append(writing.scalar(text("SELECT pg_backend_pid()")))
                cut_connections(database_url)
                writing.scalar(text("SELECT 1"))

        with pytest.raises(DBAPIError):
            retries.retry(write)
        assert len(tries) == 1

    def test_is_replaced_once(self, app: Flask, app_context: None, database_url: str) -> None:
        tries = []

        def read() -> None:
            tries.append(session().scalar(text("SELECT pg_backend_pid()")))
            cut_connections(database_url)
            session().scalar(text("SELECT 1"))

        with pytest.raises(DBAPIError):
            retries.retry(read)
        assert len(tries) == 2


@on_postgres
class TestADeadlock:
    def test_fails_no_request(self, app: Flask, acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another transaction locks in the opposite order, once."""
        with app.app_context():
            headers = make_api_key(acme).headers
            globex = make_organization("Globex")
        path = f"/api/v1/organization/{acme.id}/invitation"
        has_locked, may_go_on = threading.Event(), threading.Event()

        def lock_in_the_other_order() -> None:
            with app.app_context(), transaction() as writing:
                writing.execute(text("SET LOCAL deadlock_timeout = '60s'"))
                writing.execute(select(Organization).where(Organization.id == globex.id).with_for_update())
                has_locked.set()
                assert may_go_on.wait(10)
                writing.execute(select(Organization).where(Organization.id == acme.id).with_for_update())

        other = threading.Thread(target=lock_in_the_other_order)
        tries = []

        def lock_two(*_: Any, **__: Any) -> None:
            tries.append(1)
            may_go_on.set()
            session().execute(select(Organization).where(Organization.id == globex.id).with_for_update())

        monkeypatch.setattr("invite_app.services.invitations.checks.check_can_invite", lock_two)
        other.start()
        assert has_locked.wait(10)
        answer = app.test_client().post(path, json=ANA, headers=headers)
        assert answer.status_code == 201, answer.text
        other.join()
        assert len(tries) == 2

    @pytest.mark.parametrize("error", [psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure])
    def test_is_retried_three_times(self, app: Flask, acme: Acme, error: type[psycopg.Error]) -> None:
        tries = []

        def conflict() -> None:
            with transaction():
                tries.append(1)
                give_up(error)

        with app.app_context(), pytest.raises(DBAPIError):
            retries.retry(conflict)
        assert len(tries) == 3

    def test_after_a_commit_is_not_retried(self, app: Flask, acme: Acme) -> None:
        tries = []

        def commit_then_conflict() -> None:
            invite(acme, f"ana{len(tries)}@guest.example")
            tries.append(1)
            give_up(psycopg.errors.DeadlockDetected)

        with app.app_context():
            with pytest.raises(DBAPIError):
                retries.retry(commit_then_conflict)
            assert session().scalar(select(func.count()).select_from(Invitation)) == len(tries) == 1

    def test_that_persists_is_503(
        self, app: Flask, acme: Acme, monkeypatch: pytest.MonkeyPatch, make_app: Callable[..., Flask]
    ) -> None:
        with app.app_context():
            headers = make_api_key(acme).headers

        def conflict(*_: Any, **__: Any) -> None:
            give_up(psycopg.errors.DeadlockDetected)

        monkeypatch.setattr("invite_app.services.invitations.checks.check_can_invite", conflict)
        answer = app.test_client().post(f"/api/v1/organization/{acme.id}/invitation", json=ANA, headers=headers)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
