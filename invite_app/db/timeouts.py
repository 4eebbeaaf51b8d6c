"""Limits on the time for which the database may keep a request waiting, set in this one place."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import click

# Seconds for which a command waits for the embedded database, which knows no wait without an end.
COMMAND_SECONDS = 60.0


class Timeouts(NamedTuple):
    """Seconds that a lock and a statement may take; 0 means no limit."""

    lock: float
    statement: float

    @property
    def embedded(self) -> float:
        """Seconds to wait for the lock of the embedded database."""
        return self.lock or COMMAND_SECONDS

    def startup_options(self, given: str) -> str:
        """Return PostgreSQL's startup options with these limits; `given` are the operator's, which win."""
        limits = {
            "lock_timeout": self.lock,
            "statement_timeout": self.statement,
            "idle_in_transaction_session_timeout": self.statement,
        }
        ours = [f"-c {name}={round(seconds * 1000)}" for name, seconds in limits.items()]
        return " ".join([*ours, given]).strip()


def read_timeouts(config: Mapping[str, Any]) -> Timeouts:
    """Return the limits of a server, as configured, or of a `flask` command: none, since nobody waits for it."""
    if _is_command():
        return Timeouts(0, 0)
    return Timeouts(config["DB_LOCK_TIMEOUT"], config["DB_STATEMENT_TIMEOUT"])


def _is_command() -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and context.info_name != "run"
