"""Migrations stay compatible with the last release, whose processes run until they are replaced.

The rule for authors: add tables, columns that are nullable or have a server default, and indexes. Drop what the last
release reads or writes one release later. Each release updates `LAST_RELEASE`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    MetaData,
    Table,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)

from invite_app import create_app
from invite_app.extensions import db
from tests.support.databases import BASE, dispose
from tests.support.factories import invite, make_api_key, make_organization

# The newest migration of the last release.
LAST_RELEASE = "0006"
# Triggers write these tables; no statement of a release does.
WRITTEN_BY_TRIGGERS = {"weekly_figures"}


@pytest.fixture
def schemas(empty_database_url: str, tmp_path: Path) -> tuple[MetaData, MetaData]:
    """Return the tables of the last release, and the current ones."""
    app = create_app(
        {**BASE, "INVITE_DATABASE_URL": empty_database_url, "INVITE_INSTANCE_PATH": str(tmp_path)}, testing=True
    )
    with app.app_context():
        flask_migrate.upgrade(revision=LAST_RELEASE)
        before = reflect()
        flask_migrate.upgrade()
        after = reflect()
    dispose(app)
    return before, after


def test_migrations_only_add_to_the_last_release(schemas: tuple[MetaData, MetaData]) -> None:
    before, after = schemas
    assert [change for name, old in before.tables.items() for change in narrowed(old, after.tables.get(name))] == []


def test_statements_of_the_last_release_still_run(
    schemas: tuple[MetaData, MetaData], app: Flask, app_context: None
) -> None:
    acme = make_organization()
    invite(acme, workspace_ids=acme.workspaces, by=make_api_key(acme, "admin").actor)
    db.session.remove()
    tables = [table for table in schemas[0].sorted_tables if table.name not in WRITTEN_BY_TRIGGERS]
    with db.engine.connect().execution_options(begin_immediate=True) as connection:
        rows = {table: [dict(row) for row in connection.execute(select(table)).mappings()] for table in tables}
        for table in reversed(tables):
            connection.execute(delete(table))
        for table, found in rows.items():
            for row in found:
                write_again(connection, table, row)
        written = {table: connection.execute(select(table)).all() for table in tables}
        connection.commit()
    assert {table.name: len(found) for table, found in written.items()} == {
        table.name: len(found) for table, found in rows.items()
    }
    assert rows[schemas[0].tables["outbox_messages"]]


def write_again(connection: Any, table: Table, row: dict[str, Any]) -> None:
    """Insert and update a row with the columns of the last release."""
    known = {name: value for name, value in row.items() if table.columns[name].computed is None}
    connection.execute(insert(table).values(known))
    is_it = [column == row[column.name] for column in table.primary_key.columns]
    assert connection.execute(update(table).where(*is_it).values(known)).rowcount == 1


def reflect() -> MetaData:
    metadata = MetaData()
    metadata.reflect(db.engine, only=lambda name, _: not name.startswith(("search_", "alembic_")))
    return metadata


def narrowed(old: Table, new: Table | None) -> Iterator[str]:
    """Yield each change of a table that could break a statement of the last release."""
    if new is None:
        yield f"{old.name} is gone"
        return
    for column in old.columns:
        yield from narrowed_column(column, new.columns.get(column.name))
    for column in new.columns:
        if column.name not in old.columns and not (column.nullable or column.server_default or column.computed):
            yield f"{column} is new and has to be written"
    for constraint in constraints(new, old.columns.keys()) - constraints(old, old.columns.keys()):
        yield f"{old.name} has a new constraint: {constraint}"


def narrowed_column(old: Column[Any], new: Column[Any] | None) -> Iterator[str]:
    if new is None:
        yield f"{old} is gone"
        return
    if not is_as_wide(old, new):
        yield f"{old} was {old.type!r} and is {new.type!r}"
    if old.nullable and not new.nullable:
        yield f"{old} may not be empty any more"
    if old.server_default is not None and new.server_default is None and not new.nullable:
        yield f"{old} has no default any more"


def is_as_wide(old: Column[Any], new: Column[Any]) -> bool:
    was, may_be = (getattr(column.type, "length", None) for column in (old, new))
    if was is not None and may_be is not None:
        return type(old.type) is type(new.type) and bool(was <= may_be)
    return str(old.type) == str(new.type)


def constraints(table: Table, known: list[str]) -> set[tuple[str, ...]]:
    """Return the constraints on the columns `known`. Checks of one name count as equal: they may be widened."""
    found = set()
    for constraint in table.constraints:
        columns = [column.name for column in getattr(constraint, "columns", ())]
        if isinstance(constraint, UniqueConstraint) and set(columns) <= set(known):
            found.add(("unique", *sorted(columns)))
        elif isinstance(constraint, ForeignKeyConstraint) and set(columns) <= set(known):
            found.add(("foreign key", *sorted(columns), constraint.referred_table.name))
        elif isinstance(constraint, CheckConstraint) and set(re.findall(r"\w+", str(constraint.sqltext))) & set(
            known
        ):
            found.add(("check", str(constraint.name)))
    for index in table.indexes:
        columns = [getattr(column, "name", str(column)) for column in index.expressions]
        if index.unique and set(columns) <= set(known):
            found.add(("unique", *sorted(columns)))
    return found
