"""Statements as the driver takes them: a text that is made once, and values in the driver's own types.

SQLAlchemy takes some 100 us to execute an INSERT that it has compiled before, this way 25 (SQLite, measured): there is
nothing to look up, and no result to prepare for.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from flask import current_app
from sqlalchemy import Connection, Dialect, Insert, Update

from .db import session

Statement = Insert | Update


class Prepared:
    """An INSERT or UPDATE for one kind of database. `columns` are those that an INSERT without values is for."""

    def __init__(self, statement: Statement, dialect: Dialect, columns: Collection[str] | None) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)
        self._sql = str(compiled)
        self._order: Sequence[str] | None = compiled.positiontup
        types = {name: bound.type for bound, name in compiled.bind_names.items()}
        self._writers = [(name, _writer(types[name], dialect)) for name in self._order or types]

    def execute(self, connection: Connection, values: Mapping[str, Any]) -> None:
        connection.exec_driver_sql(self._sql, self._given(values))

    def execute_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        connection.exec_driver_sql(self._sql, [self._given(row) for row in rows])

    def _given(self, values: Mapping[str, Any]) -> Any:
        if self._order is None:
            return {name: write(values[name]) if write else values[name] for name, write in self._writers}
        return tuple([write(values[name]) if write else values[name] for name, write in self._writers])


def execute(statement: Statement, values: Mapping[str, Any]) -> None:
    """Execute a statement that is the same object each time."""
    connection = session().connection()
    _prepared(statement, connection.dialect).execute(connection, values)


def insert_many(statement: Insert, columns: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute an INSERT of these columns, which is the same object each time, for many rows at once."""
    connection = session().connection()
    _prepared(statement, connection.dialect, columns).execute_many(connection, rows)


def _prepared(statement: Statement, dialect: Dialect, columns: tuple[str, ...] | None = None) -> Prepared:
    known: dict[Statement, Prepared] = current_app.extensions.setdefault("invite_app.prepared", {})
    if (found := known.get(statement)) is None:
        found = known[statement] = Prepared(statement, dialect, columns)
    return found


def _writer(type_: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    """What turns a value into what the driver takes; None where that is the value itself."""
    writer: Callable[[Any], Any] | None = type_.dialect_impl(dialect).bind_processor(dialect)
    return writer
