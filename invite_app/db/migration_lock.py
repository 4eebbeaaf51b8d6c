"""The locks under which one process at a time migrates a database."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from filelock import FileLock
from sqlalchemy import Connection, Engine, text

# Any number that no other program uses on the same database.
ADVISORY_LOCK = 7_305_809_132_846_531
# A migration takes the time it needs, and waits for as long as another process migrates.
NO_TIMEOUTS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")


def migration_lock(engine: Engine) -> AbstractContextManager[Any]:
    """Return the lock file beside the embedded database. A thread that holds it may take it again.

    For PostgreSQL it does nothing; see `lock_in_transaction`.
    """
    file = engine.url.database
    if engine.dialect.name != "sqlite" or not file or file == ":memory:":
        return nullcontext()
    return FileLock(f"{file}.migrate.lock", mode=0o600, is_singleton=True)


def lock_in_transaction(connection: Connection) -> None:
    """Wait until no other process migrates this PostgreSQL database.

    The lock ends with the transaction, so it also works through a pooler that hands connections on.
    """
    if connection.dialect.name != "postgresql":
        return
    for name in NO_TIMEOUTS:
        connection.execute(text(f"SET LOCAL {name} = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
