"""Recording of SQL statements."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import event

from invite_app.extensions import db
from tests.support.visitor import Visitor


@contextmanager
def record_statements(app: Flask) -> Iterator[list[str]]:
    """Collect the statements that the app executes, without BEGIN."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def count_statements(app: Flask, visitor: Visitor, path: str) -> int:
    """Return the number of statements of a page."""
    with record_statements(app) as statements:
        visitor.get(path)
    return len(statements)
