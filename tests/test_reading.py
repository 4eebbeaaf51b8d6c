"""Queries executed on the driver, and the objects made from their rows."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import bindparam, case, event, func, insert, select, text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from invite_app.db import prepared, session, transaction
from invite_app.db.reading import Reader, ask, attach
from invite_app.extensions import db as database
from invite_app.models import Organization, Role, User, Workspace
from invite_app.models.types import fresh, row_of, written_columns
from invite_app.services import members, workspaces
from tests.support.databases import on_postgres, on_sqlite
from tests.support.factories import Acme, add_member, make_organization, make_person

pytestmark = pytest.mark.usefixtures("app_context")

ORGANIZATION = Reader(select(Organization).where(Organization.id == bindparam("id")))
LOCKED = Reader(select(Organization).where(Organization.id == bindparam("id")).with_for_update())
NAME = select(Organization.name).where(Organization.id == bindparam("id"))
ADD_USER = insert(User)


def test_object_equals_the_one_of_the_session(app: Flask) -> None:
    acme = make_organization(allowed_domains=["acme.example"], seat_limit=5)
    row = ORGANIZATION.first(id=acme.id)
    assert row is not None
    whole = session().get_one(Organization, acme.id)
    assert {name: getattr(row[0], name) for name in written_columns(Organization)} == row_of(whole)


def test_missing_row_is_not_found(app: Flask) -> None:
    assert ORGANIZATION.first(id=make_person("bo@acme.example").id) is None
    assert ORGANIZATION.all(id=make_person("ek@acme.example").id) == []


def test_unmatched_outer_join_is_none(app: Flask) -> None:
    acme = make_organization()
    nowhere = (Workspace.organization_id == Organization.id) & (Workspace.name == "nowhere")
    joined = select(Organization, Workspace, Role.key).outerjoin(Workspace, nowhere)
    reader = Reader(joined.join(Role, (Role.organization_id == Organization.id) & (Role.key == "owner")))
    assert [(row[0].id, row[1], row[2]) for row in reader.all()] == [(acme.id, None, "owner")]


def test_query_sees_changes_of_the_transaction(app: Flask) -> None:
    acme = make_organization()
    with transaction() as writing:
        writing.get_one(Organization, acme.id).name = "Changed"
        assert prepared.first(NAME, {"id": acme.id}) == ["Changed"]


def test_query_does_not_flush_deferred_changes(app: Flask) -> None:
    acme = make_organization()
    with transaction() as writing, writing.no_autoflush:
        writing.get_one(Organization, acme.id).name = "Changed"
        assert prepared.first(NAME, {"id": acme.id}) == ["Acme"]


def test_changes_of_attached_objects_are_written(app: Flask) -> None:
    acme = make_organization()
    with transaction():
        attach(_organization(acme.id)).name = "Changed"
    with transaction():
        _organization(acme.id).name = "Changed again, and nobody follows"
    assert prepared.first(NAME, {"id": acme.id}) == ["Changed"]


def test_second_copy_resolves_to_the_tracked_object(app: Flask) -> None:
    acme = make_organization()
    with transaction():
        first = attach(_organization(acme.id))
        first.name = "Changed"
        assert attach(_organization(acme.id)) is first


def test_referenced_object_is_not_inserted_again(app: Flask) -> None:
    acme = make_organization()
    with transaction() as writing:
        writing.add(_organization(acme.id))
    assert session().get_one(Organization, acme.id).name == "Acme"


def test_violated_constraint_raises_integrity_error(app: Flask) -> None:
    make_person("bo@acme.example")
    twice = fresh(User, email="bo@acme.example", given_name="Bo", family_name="Ek")
    with pytest.raises(IntegrityError), transaction():
        prepared.insert_many(ADD_USER, written_columns(User), [row_of(twice)])


@on_sqlite
def test_error_in_a_later_row_is_raised(app: Flask) -> None:
    make_organization()
    too_large = case((Role.key == "member", -(2**63)), else_=1)
    with pytest.raises(OperationalError):
        prepared.rows(select(func.abs(too_large)).select_from(Role), {})


def test_statement_listeners_are_called(app: Flask) -> None:
    acme = make_organization()
    heard: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    ORGANIZATION.first(id=acme.id)
    event.remove(database.engine, "before_cursor_execute", note)
    assert [statement.split()[0] for statement in heard if not statement.startswith("BEGIN")] == ["SELECT"]


def test_all_page_sizes_share_one_statement(app: Flask) -> None:
    acme = make_organization(workspace_names=["Support", "Sales"])
    here = [one.id for one in workspaces.list_all(acme.id, by=acme.owner.actor)]
    for number in range(7):
        person = make_person(f"a{number}@acme.example")
        add_member(acme, person, workspace_ids=list(reversed(here[: number % 3])))
    whole = _walk(acme, limit=500)
    assert sorted(line.workspace_ids or [] for line in whole) == sorted([[]] * 6 + [here[:1]] * 2 + [here] * 2)
    known = len(app.extensions["invite_app.prepared"])
    for limit in range(1, 12):
        assert _walk(acme, limit=limit) == whole
    assert len(app.extensions["invite_app.prepared"]) - known == 1  # for pages after the first


@on_postgres
def test_connections_cut_within_a_request_are_replaced(app: Flask) -> None:
    acme = make_organization()
    with database.engine.connect() as other:
        cut_off = [one.scalar(text("SELECT pg_backend_pid()")) for one in (session(), other)]
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as cutting:
        cutting.execute("SELECT pg_terminate_backend(one, 5000) FROM unnest(%s::int[]) AS one", [cut_off])
    with pytest.raises(OperationalError) as cut:
        ORGANIZATION.first(id=acme.id)
    assert cut.value.connection_invalidated
    session().remove()
    assert _organization(acme.id).name == "Acme"


def _walk(acme: Acme, *, limit: int) -> list[members.MemberRow]:
    page = members.list_rows(acme.id, by=acme.owner.actor, limit=limit)
    lines = page.items
    while page.next:
        page = members.list_rows(acme.id, by=acme.owner.actor, limit=limit, cursor=page.next)
        lines += page.items
    return lines


def _organization(organization_id: Any) -> Organization:
    row = ORGANIZATION.first(id=organization_id)
    assert row is not None
    organization: Organization = row[0]
    return organization


@on_postgres
def test_statement_stays_prepared_across_requests(app: Flask) -> None:
    with app.app_context():
        acme = make_organization()
    for _ in range(2):
        with app.app_context():
            prepared.first(NAME, {"id": acme.id})
            kept = select(func.count()).select_from(text("pg_prepared_statements"))
            count = session().scalar(kept.where(text("statement LIKE 'SELECT organizations.name%'")))
    assert count == 1


def test_pipelined_queries_are_answered_in_order(app: Flask) -> None:
    acme = make_organization()
    asked = ORGANIZATION.question(id=acme.id), ORGANIZATION.question(id=uuid4()), ORGANIZATION.question(id=acme.id)
    ask(*asked)
    assert [[row[0].name for row in one.rows or ()] for one in asked] == [["Acme"], [], ["Acme"]]


@on_postgres
def test_error_within_a_pipeline_is_raised(app: Flask) -> None:
    acme = make_organization()
    broken = Reader(select(Organization.name, 1 / func.length("")).where(Organization.id == bindparam("id")))
    with pytest.raises(DataError, match="division by zero"):
        ask(ORGANIZATION.question(id=acme.id), broken.question(id=acme.id), ORGANIZATION.question(id=acme.id))
    session().rollback()
    assert _organization(acme.id).name == "Acme"


@on_postgres
def test_lock_timeout_within_a_pipeline_is_raised(app: Flask) -> None:
    acme = make_organization()

    def wait_a_moment() -> None:
        with transaction() as writing:
            writing.execute(text("SET LOCAL lock_timeout = '50ms'"))
            ask(LOCKED.question(id=acme.id), ORGANIZATION.question(id=acme.id))

    with database.engine.connect().execution_options(begin_immediate=True) as other:
        other.execute(text("SELECT 1 FROM organizations FOR UPDATE"))
        with pytest.raises(OperationalError, match="lock timeout"):
            wait_a_moment()
    assert _organization(acme.id).name == "Acme"


@pytest.mark.parametrize("and_then", [nullcontext, transaction], ids=["nothing", "a transaction"])
def test_change_outside_a_transaction_is_discarded(app: Flask, and_then: Callable[[], Any]) -> None:
    with app.app_context():
        acme = make_organization()
    with app.app_context():
        session().get_one(Organization, acme.id).name = "Changed in passing"
        with and_then():
            pass
    with app.app_context():
        assert _organization(acme.id).name == "Acme"


def test_flush_outside_a_transaction_is_refused(app: Flask) -> None:
    acme = make_organization()
    session().get_one(Organization, acme.id).name = "Changed in passing"
    with pytest.raises(RuntimeError, match="in transaction"):
        session().flush()


@on_postgres
def test_connection_closed_by_the_client_is_replaced(app: Flask) -> None:
    acme = make_organization()
    driver = session().connection().connection.driver_connection
    session().remove()
    driver.close()
    assert _organization(acme.id).name == "Acme"
