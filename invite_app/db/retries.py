"""Repeating what the database gave up, as a whole and only where it is certain that nothing of it was kept."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from .errors import is_conflict, is_lost_connection
from .transactions import session

# Tries of one action in all.
MOST_TRIES = 3
# Seconds before the next try, at most: those who got in each other's way come back at different moments.
LONGEST_PAUSE = 0.05

# Writing transactions that a request or command has begun and committed so far.
Writes = tuple[int, int]
Result = TypeVar("Result")


def retry(action: Callable[[], Result]) -> Result:
    """Return what `action` returns, repeated after a deadlock or a failed serialization, up to MOST_TRIES in all.

    It is repeated once when it had only read and lost its connection. What has committed anything is not repeated.
    """
    for number in range(1, MOST_TRIES):
        before = _writes()
        try:
            return action()
        except DBAPIError as error:
            if not _is_undone(error, before, is_first=number == 1):
                raise
            session().rollback()
            session().expunge_all()
            time.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311 - jitter, not a secret
    return action()


def _is_undone(error: DBAPIError, before: Writes, *, is_first: bool) -> bool:
    if is_conflict(error):
        return _writes()[1] == before[1]
    return is_first and is_lost_connection(error) and _writes() == before


def _writes() -> Writes:
    info = session().info
    return info.get("begun", 0), info.get("committed", 0)
