"""Send many rows to the database in one statement."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import JSON, BindParameter, Dialect, String, Update, bindparam, cast, column, func
from sqlalchemy.sql.visitors import replacement_traverse

Work = Callable[..., Any]


def at_once(statement: Any, dialect: Dialect, names: Sequence[str]) -> tuple[str, Work]:
    """Return the SQL by which PostgreSQL takes many rows, and a function that sends them through a cursor."""
    if isinstance(statement, Update):
        return _from_document(statement, dialect), partial(_as_document, names=names)
    return _copying(statement, dialect, names), _copy


def one_by_one(cursor: Any, *, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    cursor.executemany(sql, rows)


def _copying(insert: Any, dialect: Dialect, columns: Sequence[str]) -> str:
    """Return the COPY statement. Unlike single inserts, it runs the triggers once."""
    quote = dialect.identifier_preparer.quote
    names = (insert.table.columns[key].name for key in columns)
    return f"COPY {quote(insert.table.name)} ({', '.join(map(quote, names))}) FROM STDIN"


def _copy(cursor: Any, *, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    with cursor.copy(sql) as copy:
        for row in rows:
            copy.write_row(row)


def _from_document(update: Update, dialect: Dialect) -> str:
    """Return the UPDATE with the columns of a JSON document in place of its parameters."""
    binds: Mapping[str, BindParameter[Any]] = update.compile(dialect=dialect).binds
    document = func.json_to_recordset(cast(bindparam("rows", type_=String), JSON))
    columns = (column(name, one.type) for name, one in binds.items())
    given = document.table_valued(*columns).render_derived("given", with_types=True)

    def column_of(part: Any, **_: Any) -> Any:
        return given.c[part.key] if isinstance(part, BindParameter) else None

    of_many: Any = replacement_traverse(update, {}, column_of)  # type: ignore[call-overload]  # also of statements
    return str(of_many.compile(dialect=dialect))


def _as_document(cursor: Any, *, sql: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Send the rows as one JSON document, which is faster than an array per column.

    The statement is planned each time: a plan for an empty table would scan it later as well.
    """
    document = json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str)
    cursor.execute(sql, {"rows": document})
