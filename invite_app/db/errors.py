"""Kinds of database errors that pass by themselves, told apart for both databases."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from invite_app.errors import ServiceBusy

# Seconds after which somebody whom the database kept waiting may try again.
RETRY_AFTER = 5

# PostgreSQL's codes for a lock, a statement and a pause within a transaction that took too long.
_TOO_LATE = {"55P03", "57014", "25P03"}
# PostgreSQL's codes for a deadlock and for a transaction that cannot be serialized.
_CONFLICTS = {"40P01", "40001"}
_SQLITE_BUSY = 5


def is_conflict(error: BaseException) -> bool:
    """Tell whether the database gave up one of several transactions that got in each other's way."""
    return _code(error) in _CONFLICTS


def is_lost_connection(error: BaseException) -> bool:
    """Tell whether the connection to the database ended."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def busy_fact(error: BaseException) -> ServiceBusy | None:
    """Return what to tell about an error if it says that the database took too long or gave a transaction up."""
    is_busy = isinstance(error, PoolTimeout) or _code(error) in {*_TOO_LATE, *_CONFLICTS, _SQLITE_BUSY}
    return ServiceBusy(RETRY_AFTER) if is_busy else None


def _code(error: BaseException) -> str | int | None:
    """Return the driver's own code of what went wrong, on SQLite without its details."""
    driver = getattr(error, "orig", None)
    detailed: int | None = getattr(driver, "sqlite_errorcode", None)
    return getattr(driver, "sqlstate", None) if detailed is None else detailed & 0xFF
