"""Engines for SQLite and PostgreSQL: their options, and control of transactions."""

import math
import time
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError

from invite_app.extensions import db
from invite_app.models.search import search_folded

from .timeouts import Timeouts

# A pooled connection that was idle for longer is checked before it is used.
IDLE_SECONDS = 1.0
NEVER_PREPARE = 2**62  # executions, after which a statement is prepared
SQLITE_SETTINGS = (
    "journal_mode = WAL",
    "foreign_keys = ON",
    "mmap_size = 2000000000",  # pages are read in place instead of copied
    "temp_store = MEMORY",  # for what triggers may have to roll back
    "wal_autocheckpoint = 4000",  # pages: fewer copies of those that each write touches
)


def engine_options(url: str, timeouts: Timeouts) -> dict[str, Any]:
    """Return pool and driver options for the database at `url`. Errors leave out values, which may be secret."""
    common = {"hide_parameters": True, "pool_timeout": timeouts.embedded}
    if (parsed := make_url(url)).get_backend_name() == "sqlite":
        return {**common, "connect_args": {"timeout": timeouts.embedded}}
    options = timeouts.startup_options(str(parsed.query.get("options", "")))
    # `prepared` chooses what is planned once, for all values
    connect = {"prepare_threshold": NEVER_PREPARE, "options": options}
    return {**common, "pool_size": 10, "max_overflow": 10, "connect_args": connect}


def is_sqlite(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


def is_postgresql() -> bool:
    """Return whether the database has row locks; SQLite locks the whole file when a writing transaction begins."""
    return not is_sqlite(db.engine)


def configure_engine(engine: Engine, sqlite_synchronous: str) -> None:
    """Begin transactions ourselves: sqlite3 begins them too late, and psycopg begins one for every read."""
    if is_sqlite(engine):
        event.listen(engine, "connect", partial(_set_up_sqlite, sqlite_synchronous))
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)
        event.listen(engine, "checkin", _mark_used)
        event.listen(engine, "checkout", _check_idle_connection)


def _mark_used(_: object, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _check_idle_connection(connection: Any, record: Any, _: object) -> None:
    """Replace a lost connection. Only connections that were idle are checked, since a check is a round trip."""
    if connection.closed:
        raise DisconnectionError
    if time.monotonic() - record.info.get("used_at", math.inf) > IDLE_SECONDS:
        try:
            connection.autocommit = True
            connection.execute("SELECT 1")
        except connection.OperationalError as error:
            raise DisconnectionError from error


def _set_up_sqlite(synchronous: str, connection: Any, _: object) -> None:
    connection.isolation_level = None
    for pragma in (*SQLITE_SETTINGS, f"synchronous = {synchronous}"):
        connection.execute(f"PRAGMA {pragma}")
    connection.create_function("search_folded", 1, search_folded, deterministic=True)


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _is_writing(connection) else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    """Read in autocommit mode, which saves two round trips per request.

    Under READ COMMITTED each statement has a snapshot of its own anyway. A rollback would also make psycopg drop its
    prepared statements.
    """
    driver: Any = connection.connection.dbapi_connection
    driver.autocommit = not _is_writing(connection)


def _is_writing(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("begin_immediate"))
