"""Updates of many rows with values of their own, and queries with array parameters."""

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import bindparam, event, func, select, text, update
from sqlalchemy.exc import DataError, IntegrityError

from invite_app.db import prepared, session, transaction
from invite_app.extensions import db
from invite_app.models import User
from invite_app.models.engines import Among
from invite_app.models.types import now
from tests.support.databases import on_postgres
from tests.support.factories import make_person

pytestmark = pytest.mark.usefixtures("app_context")

CHANGE = (
    update(User)
    .where(User.id == bindparam("user"))
    .values({name: bindparam(name) for name in ("given_name", "password_hash", "is_verified", "created_at")})
)
ONE_NAME = select(User.given_name).where(User.id == bindparam("user"))
NAMES = select(User.given_name).where(Among(User.id, "ids")).order_by(User.email)


@pytest.fixture
def people(app: Flask) -> list[Any]:
    return [make_person(f"a{number}@acme.example").id for number in range(3)]


def test_each_row_gets_its_own_values(people: list[Any]) -> None:
    moment = now()
    odd = [('It\'s \\ "Ånä" %s :x {}\u2028', None, True), ("", "hash", False)]
    wanted = [(*values, moment) for values in odd]
    rows = [
        {"user": user, "given_name": name, "password_hash": secret, "is_verified": proven, "created_at": at}
        for user, (name, secret, proven, at) in zip(people, wanted, strict=False)
    ]
    with transaction():
        prepared.update_many(CHANGE, rows)
    query = select(User.given_name, User.password_hash, User.is_verified, User.created_at).order_by(User.email)
    found = [tuple(row) for row in session().execute(query)]
    assert found[:2] == wanted
    assert found[2][0] == "Ana"


@on_postgres
def test_many_rows_are_updated_by_one_statement(people: list[Any]) -> None:
    heard: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *heard_of: heard.append(heard_of[2]))
    values = {"given_name": "Bo", "password_hash": None, "is_verified": True, "created_at": now()}
    with transaction():
        prepared.update_many(CHANGE, [{"user": user, **values} for user in people])
    assert [statement.split()[0] for statement in heard] == ["UPDATE"]


@on_postgres
def test_plans_are_not_cached_for_array_parameters(people: list[Any]) -> None:
    """A plan made for a small table would scan the whole table after it has grown."""
    values = {"given_name": "Bo", "password_hash": None, "is_verified": True, "created_at": now()}
    with transaction() as writing:
        prepared.rows(ONE_NAME, {"user": people[0]})
        prepared.rows(NAMES, {"ids": people})
        prepared.update_many(CHANGE, [{"user": user, **values} for user in people])
        planned = writing.scalars(text("SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%users%'"))
        assert [statement.partition("WHERE")[2] for statement in planned] == [" users.id = $1::UUID"]


def test_constraint_violation_raises_integrity_error(people: list[Any]) -> None:
    broken = {"user": people[0], "given_name": None, "password_hash": None, "is_verified": True, "created_at": now()}
    with pytest.raises(IntegrityError), transaction():
        prepared.update_many(CHANGE, [broken])


@on_postgres
def test_unstorable_value_raises_data_error(people: list[Any]) -> None:
    broken = {"user": people[0], "given_name": "\0", "password_hash": None, "is_verified": True, "created_at": now()}
    with pytest.raises(DataError), transaction():
        prepared.update_many(CHANGE, [broken])


def test_one_statement_finds_any_number_of_rows(app: Flask, people: list[Any]) -> None:
    for count in range(4):
        asked = [*people[:count], uuid4()]
        assert len(prepared.rows(NAMES, {"ids": asked})) == count
    assert prepared.rows(NAMES, {"ids": []}) == []
    assert list(app.extensions["invite_app.prepared"]) == [NAMES]


def test_array_parameters_work_through_the_session_too(people: list[Any]) -> None:
    query = select(func.count()).select_from(User).where(Among(User.id, "ids"))
    assert session().scalar(query, {"ids": people[:2]}) == 2
