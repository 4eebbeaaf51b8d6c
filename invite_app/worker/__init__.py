"""The worker: the process or thread that sends due messages and runs maintenance."""

from .loop import migrate_sqlite, register, run

__all__ = [
    "migrate_sqlite",
    "register",
    "run",
]
