"""The database: engines, transactions, retries and migrations."""

from .engine import IDLE_SECONDS, configure_engine, engine_options, is_postgresql, is_sqlite
from .errors import busy_fact, is_conflict, is_lost_connection
from .migration_lock import lock_in_transaction, migration_lock
from .migrations import (
    MIGRATIONS,
    Migrations,
    current_revision,
    is_current,
    is_reachable,
    migrate,
    newest_revision,
)
from .timeouts import Timeouts, read_timeouts
from .transactions import cached_in_request, connection, ignore, session, transaction

__all__ = [
    "IDLE_SECONDS",
    "MIGRATIONS",
    "Migrations",
    "Timeouts",
    "busy_fact",
    "cached_in_request",
    "configure_engine",
    "connection",
    "current_revision",
    "engine_options",
    "ignore",
    "is_conflict",
    "is_current",
    "is_lost_connection",
    "is_postgresql",
    "is_reachable",
    "is_sqlite",
    "lock_in_transaction",
    "migrate",
    "migration_lock",
    "newest_revision",
    "read_timeouts",
    "session",
    "transaction",
]
