"""The engines (SQLite, PostgreSQL), the one kind of writing transaction, and the migrations."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import flask_migrate
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock
from flask import Flask
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, scoped_session

from .extensions import db

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30


def session() -> scoped_session[Any]:
    """The session of this request or command; reading through it opens a read transaction."""
    return db.session


@contextmanager
def transaction() -> Iterator[Session]:
    """A new writing transaction; it commits at the end, or rolls back when an error leaves the block.

    The read transaction that the request may have open is ended first and everything read in it is let go:
    SQLite refuses a write that follows a read in one transaction, and no decision may rest on an old reading.
    Rows that somebody still holds stay as complete as they were, and change nothing any more.
    """
    current = db.session()
    if current.info.get("writing"):
        raise RuntimeError("services do not call each other's committing functions")
    current.commit()
    current.expunge_all()
    current.info["writing"] = True
    try:
        current.connection(execution_options={"begin_immediate": True})
        yield current
        current.commit()
    except BaseException:
        current.rollback()
        raise
    finally:
        current.info["writing"] = False


def noted(result: object) -> None:
    """What services do with their result inside the transaction when nobody asked for more: nothing."""


def engine_options(url: str) -> dict[str, Any]:
    """Pool and driver options for the kind of database in `url`."""
    quiet = {"hide_parameters": True}  # an error names its statement in the log, and the values can be secret
    if make_url(url).get_backend_name() == "sqlite":
        return {**quiet, "connect_args": {"timeout": BUSY_SECONDS}}
    return {**quiet, "pool_size": 10, "max_overflow": 10, "pool_pre_ping": True}


def is_embedded(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


def prepare_engine(engine: Engine) -> None:
    """Take over transaction control from Python's sqlite3, whose own would begin too late and too weakly."""
    if is_embedded(engine):
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("begin_immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def migrate(app: Flask) -> None:
    """Bring the database to the newest migration, one process at a time."""
    with app.app_context(), FileLock(Path(app.instance_path) / "migrate.lock"):
        if current_revision() != newest_revision():
            flask_migrate.upgrade(directory=str(MIGRATIONS))


def is_reachable() -> bool:
    with db.engine.connect() as connection:
        return connection.execute(text("SELECT 1")).scalar() == 1


def is_current() -> bool:
    """Whether every migration has been applied."""
    return current_revision() == newest_revision()


def current_revision() -> str | None:
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


@cache
def newest_revision() -> str | None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config).get_current_head()
