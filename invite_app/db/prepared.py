"""Statements compiled once and executed on the driver's cursor, which is faster than SQLAlchemy's own execution.

Errors are SQLAlchemy's, and its event listeners for statements are called.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cached_property, partial
from typing import Any, NoReturn

from flask import current_app
from sqlalchemy import Connection, Dialect, Insert, Select, Update
from sqlalchemy.exc import DBAPIError

from invite_app.models.engines import Many

from . import handover
from .engine import is_postgresql
from .transactions import connection

Statement = Insert | Select[Any] | Update
Convert = Callable[[Any], Any] | None
_NONE_YET = object()


class Prepared:
    """A statement for one kind of database. `columns` are those that an INSERT without values is for."""

    def __init__(self, statement: Statement, dialect: Dialect, columns: Collection[str] | None = None) -> None:
        self._statement, self._dialect = statement, dialect
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)
        self.sql = str(compiled)
        self._order: Sequence[str] | None = compiled.positiontup
        bound = {name: parameter for parameter, name in compiled.bind_names.items()}
        self._constants = {name: one.value for name, one in bound.items() if not one.required}
        self._writers = [(name, _writer(bound[name].type, dialect)) for name in self._order or bound]
        self._names = [name for name, _ in self._writers]
        # A plan made when the table was empty reads all of it: 200 of 100,000 messages took ten times as long.
        is_planned_once = not any(isinstance(one.type, Many) for one in bound.values())
        self._how = {"prepare": is_planned_once} if self._order is None else {}
        selected = statement.selected_columns if isinstance(statement, Select) else ()
        self._readers = [_reader(column.type, dialect) for column in selected]

    def run(self, here: Connection, values: Mapping[str, Any], fetch: str | None = None) -> Any:
        """The driver's cursor, or what it has where it is to `fetch` that."""
        given = self._given({**self._constants, **values})

        def work(cursor: Any) -> Any:
            cursor.execute(self.sql, given, **self._how)
            return (
                getattr(cursor, fetch)() if fetch else cursor
            )  # SQLite looks for further rows only now, and may fail

        return _run(here, self.sql, given, work)

    def run_many(self, here: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        given = [_column(write, [row[name] for row in rows]) for name, write in self._writers]
        turned = list(zip(*given, strict=True))
        sql, work = self._for_many
        _run(here, sql, turned, partial(work, sql=sql, rows=turned))

    def read(self, row: Sequence[Any]) -> list[Any]:
        """The values of a row that the cursor gave, as Python knows them."""
        return [
            value if convert is None or value is None else convert(value)
            for convert, value in zip(self._readers, row, strict=True)
        ]

    @cached_property
    def _for_many(self) -> tuple[str, Callable[..., Any]]:
        if self._order is not None:
            return self.sql, handover.one_by_one
        return handover.at_once(self._statement, self._dialect, self._names)

    def _given(self, values: Mapping[str, Any]) -> Any:
        return self._as_wanted(
            [values[name] if write is None else write(values[name]) for name, write in self._writers]
        )

    def _as_wanted(self, given: Sequence[Any]) -> Any:
        """By place or by name, as the driver takes parameters."""
        if self._order is not None:
            return given
        return dict(zip(self._names, given, strict=True))


def execute(statement: Statement, values: Mapping[str, Any]) -> None:
    """Execute a statement that is the same object each time."""
    here = connection()
    _prepared(statement, here.dialect).run(here, values)


def insert_many(statement: Insert, columns: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute an INSERT of these columns, which is the same object each time, for many rows at once."""
    here = connection()
    _prepared(statement, here.dialect, columns).run_many(here, rows)


def update_many(statement: Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute an UPDATE of one row, which is the same object each time, for many at once.

    All its parameters are texts, numbers, times and ids.
    """
    here = connection()
    _prepared(statement, here.dialect).run_many(here, rows)


def first(statement: Select[Any], values: Mapping[str, Any]) -> list[Any] | None:
    """The first row of a query that is the same object each time."""
    here = connection()
    prepared = _prepared(statement, here.dialect)
    row = prepared.run(here, values, "fetchone")
    return None if row is None else prepared.read(row)


def rows(statement: Select[Any], values: Mapping[str, Any]) -> list[list[Any]]:
    """All rows of a query that is the same object each time."""
    here = connection()
    prepared = _prepared(statement, here.dialect)
    return [prepared.read(row) for row in prepared.run(here, values, "fetchall")]


def rows_of_each(asked: Sequence[tuple[Select[Any], Mapping[str, Any]]]) -> list[list[list[Any]]]:
    """All rows of several queries, each answered after the one before, in one round trip where the database can."""
    here = connection()
    ready = [(_prepared(query, here.dialect), values) for query, values in asked]
    try:
        with _one_trip(here) if len(ready) > 1 else nullcontext():
            cursors = [prepared.run(here, values) for prepared, values in ready]
        found = [cursor.fetchall() for cursor in cursors]
    except here.dialect.loaded_dbapi.Error as error:
        _refuse(here, "; ".join(prepared.sql for prepared, _ in ready), error)
    return [[prepared.read(row) for row in rows] for (prepared, _), rows in zip(ready, found, strict=True)]


def _one_trip(here: Connection) -> AbstractContextManager[Any]:
    """Send the statements of the block together, and receive their results at its end."""
    driver: Any = here.connection.dbapi_connection
    return driver.pipeline() if is_postgresql() else nullcontext()


def _prepared(statement: Statement, dialect: Dialect, columns: tuple[str, ...] | None = None) -> Prepared:
    """Kept for good, so whoever makes statements makes a few that are the same for all values."""
    known: dict[Statement, Prepared] = current_app.extensions.setdefault("invite_app.prepared", {})
    if (found := known.get(statement)) is None:
        found = known[statement] = Prepared(statement, dialect, columns)
    return found


def _column(write: Convert, values: list[Any]) -> list[Any]:
    """The values of one column of many rows, most of which hold the same as the row before."""
    if write is None:
        return values
    last, given, converted = _NONE_YET, None, []
    for value in values:
        if value is not last:
            last, given = value, write(value)
        converted.append(given)
    return converted


def _writer(type_: Any, dialect: Dialect) -> Convert:
    """Return the function that converts a value for the driver; None when none is needed."""
    writer: Convert = type_.dialect_impl(dialect).bind_processor(dialect)
    return writer


def _reader(type_: Any, dialect: Dialect) -> Convert:
    reader: Convert = type_.dialect_impl(dialect).result_processor(dialect, None)
    return reader


def _run(here: Connection, sql: str, given: Any, work: Callable[[Any], Any]) -> Any:
    """Run the work with a cursor of the driver; its errors become SQLAlchemy's."""
    driver: Any = here.connection.dbapi_connection
    cursor = driver.cursor()
    for tell in here.dispatch.before_cursor_execute:
        tell(here, cursor, sql, given, None, False)
    try:
        return work(cursor)
    except here.dialect.loaded_dbapi.Error as error:
        _refuse(here, sql, error)


def _refuse(here: Connection, sql: str, error: Exception) -> NoReturn:
    """Raise SQLAlchemy's error for that of the driver.

    Asked itself on a connection that is gone, SQLAlchemy lets go of all that were opened before, which one restart of
    the server has cut as well.
    """
    dialect: Any = here.dialect
    if dialect.is_disconnect(error, here.connection.dbapi_connection, None):
        with suppress(DBAPIError):
            here.exec_driver_sql("SELECT 1")
    raise DBAPIError.instance(
        sql,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=here.invalidated,
        dialect=dialect,
    ) from error
