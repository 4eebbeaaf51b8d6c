"""The engines (SQLite, PostgreSQL), the one kind of writing transaction, and the migrations."""

import math
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask, current_app
from sqlalchemy import Connection, Engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session, scoped_session

from .extensions import db
from .fair_lock import FairLock
from .migration_lock import migration_lock
from .models.search import search_folded
from .timeouts import Timeouts, read_timeouts

if TYPE_CHECKING:
    from flask_migrate import Migrate

MIGRATIONS = Path(__file__).parent / "migrations"
IDLE_SECONDS = 1.0
NEVER = 2**62  # executions, after which a statement is prepared
SQLITE_SETTINGS = (
    "journal_mode = WAL",
    "foreign_keys = ON",
    "mmap_size = 2000000000",  # read in place: copies of its pages made a list of a million cost up to a third more
    "temp_store = MEMORY",  # what triggers might have to take back: a sixth of what an invitation takes
    "wal_autocheckpoint = 4000",  # 16 MiB: a quarter as often, the pages that each write touches are copied
)
Found = TypeVar("Found")


def session() -> scoped_session[Any]:
    """The session of this request or command. What it reads may be changed in `transaction()` only."""
    return db.session


def connection() -> Connection:
    """What the session of this request or command speaks through, for statements that need no objects.

    What the session has changed so far is written first, unless that is put off (`no_autoflush`). Asking the session
    each time would take as long as many a statement does.
    """
    current = db.session()
    if current.autoflush:
        current.flush()
    found: Connection | None = current.info.get("connection")
    return found or current.connection()


@contextmanager
def transaction(*, is_idempotent: bool = False) -> Iterator[Session]:
    """A new writing transaction; it commits at the end, or rolls back when an error leaves the block.

    The read transaction that the request may have open is ended first and everything read in it is let go:
    SQLite refuses a write that follows a read in one transaction, and no decision may rest on an old reading.
    Rows that somebody still holds stay as complete as they were, and change nothing any more.

    Locks are taken in one order, those of one kind by id, so that no two transactions wait for each other:
    organization, then account (before its links and sign-ins), then invitation or membership, then outbox message.
    `retries.retry` repeats what deadlocks all the same, unless more was committed before than `is_repeatable` ones.
    """
    current = db.session()
    if current.info.get("writing"):
        raise RuntimeError("services do not call each other's committing functions")
    current.expunge_all()
    current.commit()
    with _turn():
        current.info["writing"] = current.autoflush = True
        try:
            current.info["begun"] = current.info.get("begun", 0) + (not is_idempotent)
            current.info["connection"] = current.connection(execution_options={"begin_immediate": True})
            yield current
            current.commit()
            current.info["committed"] = current.info.get("committed", 0) + (not is_idempotent)
        except BaseException:
            current.rollback()
            raise
        finally:
            current.info["writing"] = current.autoflush = False
            current.info.pop("connection", None)


@event.listens_for(db.session, "before_flush")
def _refuse_stray_changes(current: Session, *_: object) -> None:
    """On PostgreSQL they would be kept at once, and half of them where the other half fails."""
    if not current.info.get("writing"):
        raise RuntimeError("what the session follows is changed in transaction() only")


_turns = FairLock()


def _turn() -> AbstractContextManager[None]:
    """Let the threads of this process write to the embedded database one after the other.

    SQLite itself makes a writer that finds another at work sleep, for longer each time, and try again.
    """
    return nullcontext() if has_row_locks() else _turns.held(read_timeouts(current_app.config).embedded)


def cached_in_request(key: Hashable, read: Callable[[], Found]) -> Found:
    """What `read` finds, the same for the whole of a reading transaction; a writing one reads it each time."""
    current: Session = db.session()
    if current.info.get("writing"):
        return read()
    begun, known = current.info.get("readings", (None, {}))
    if begun is not current.get_transaction():
        known = {}
    found: Found = known[key] if key in known else read()
    current.info["readings"] = (current.get_transaction(), {**known, key: found})
    return found


def ignore(result: object) -> None:
    """What services do with their result inside the transaction when nobody asked for more: nothing."""


def engine_options(url: str, timeouts: Timeouts) -> dict[str, Any]:
    """Pool and driver options for the kind of database in `url`. Errors tell no values, which can be secret."""
    common = {"hide_parameters": True, "pool_timeout": timeouts.embedded}
    if (parsed := make_url(url)).get_backend_name() == "sqlite":
        return {**common, "connect_args": {"timeout": timeouts.embedded}}
    options = timeouts.startup_options(str(parsed.query.get("options", "")))
    # `prepared` chooses what is planned once, for all values
    connect = {"prepare_threshold": NEVER, "options": options}
    return {**common, "pool_size": 10, "max_overflow": 10, "connect_args": connect}


def is_embedded(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


def has_row_locks() -> bool:
    """Whether a transaction locks the rows it names; the embedded database locks everything when one begins."""
    return not is_embedded(db.engine)


def prepare_engine(engine: Engine, sqlite_synchronous: str) -> None:
    """Take over transaction control: that of Python's sqlite3 would begin too late and too weakly, that of
    PostgreSQL's driver also where nothing is written.
    """
    if is_embedded(engine):
        event.listen(engine, "connect", partial(_set_up_sqlite, sqlite_synchronous))
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", _ask_the_idle)


def _note_use(_: object, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _ask_the_idle(connection: Any, record: Any, _: object) -> None:
    """Whether a connection that was not used lately still stands; asking each time is one round trip in four."""
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
    """Read without a transaction, in which each statement would see what is committed by then as well.

    It would be two more round trips for each request, and its end, a rollback, the end of everything that the driver
    has prepared: a list took 4.0 ms, now 2.5.
    """
    driver: Any = connection.connection.dbapi_connection
    driver.autocommit = not _is_writing(connection)


def _is_writing(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("begin_immediate"))


class Migrations:
    """What Flask-Migrate looks up among the application's extensions.

    It is imported by whoever migrates. With Alembic, Mako and the dialects of other databases it would take a sixth
    of the time to start and 8 MiB, and a process whose database is current never needs it.
    """

    db = db
    directory = str(MIGRATIONS)

    @cached_property
    def migrate(self) -> "Migrate":
        from flask_migrate import Migrate  # noqa: PLC0415 - see above

        return Migrate(db=self.db, directory=self.directory, render_as_batch=True, compare_type=True)


def migrate(app: Flask) -> None:
    """Bring the embedded database to the newest migration, one process at a time."""
    with app.app_context(), migration_lock(db.engine):
        if not is_current():
            from flask_migrate import upgrade  # noqa: PLC0415 - see Migrations

            upgrade(directory=Migrations.directory)


def is_reachable() -> bool:
    with db.engine.connect() as connection:
        return connection.execute(text("SELECT 1")).scalar() == 1


def is_current() -> bool:
    """Return whether every migration of this release has been applied.

    A newer release may have added its own: they leave room for the processes of the release before.
    """
    return (current_revision() or "") >= newest_revision()


def current_revision() -> str | None:
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        applied = connection.execute(text("SELECT version_num FROM alembic_version"))
        return applied.scalar_one_or_none()


@cache
def newest_revision() -> str:
    """Migrations are named for their revisions, each one more than the one before."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("*_*.py"))
