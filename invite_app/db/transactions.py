"""Reading and writing transactions of the current request or command."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session, scoped_session

from invite_app.extensions import db

from .engine import is_postgresql
from .fair_lock import FairLock
from .timeouts import read_timeouts

Found = TypeVar("Found")


def session() -> scoped_session[Any]:
    """Return the session of this request or command. Its objects may be changed in `transaction()` only."""
    return db.session


def connection() -> Connection:
    """Return the database connection of this request or command, for statements that need no objects.

    Pending changes of the session are flushed first, except under `no_autoflush`.
    """
    current = db.session()
    if current.autoflush:
        current.flush()
    found: Connection | None = current.info.get("connection")
    return found or current.connection()


# Serializes the threads of this process that write to SQLite.
_writers = FairLock()


@contextmanager
def transaction(*, is_idempotent: bool = False) -> Iterator[Session]:
    """Begin a writing transaction. It commits at the end of the block, or rolls back on an error.

    The read transaction of the request ends first, and its objects leave the session: SQLite refuses a write that
    follows a read in one transaction, and decisions must rest on current data.

    Locks are taken in one order, those of one kind by id, so that no two transactions wait for each other:
    organization, then account (before its links and sign-ins), then invitation or membership, then outbox message.
    `retries.retry` repeats an action that deadlocks, unless it has committed a transaction that is not idempotent.
    """
    current = db.session()
    if current.info.get("writing"):
        raise RuntimeError("services do not call each other's committing functions")
    current.expunge_all()
    current.commit()
    with _sqlite_write_lock():
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
    """Raise RuntimeError for changes outside of `transaction()`, which PostgreSQL would commit one by one."""
    if not current.info.get("writing"):
        raise RuntimeError("objects of the session are changed in transaction() only")


def _sqlite_write_lock() -> AbstractContextManager[None]:
    """Serialize the SQLite writers of this process; SQLite's own busy handler sleeps and retries, which is slower."""
    return nullcontext() if is_postgresql() else _writers.held(read_timeouts(current_app.config).embedded)


def cached_in_request(key: Hashable, read: Callable[[], Found]) -> Found:
    """Return the result of `read`, cached until the read transaction ends. Writing transactions call it each time."""
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
    """The default callback: do nothing."""
