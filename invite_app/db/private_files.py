"""The SQLite database as a file that only this account can read."""

import os
from contextlib import suppress

from sqlalchemy import Engine, event


def register(engine: Engine) -> None:
    """Create the database file with mode 0600 before SQLite does; an existing file keeps its mode."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", _create)


def _create(_dialect: object, _record: object, arguments: list[str], _options: object) -> None:
    """SQLite gives its -wal and -shm files the mode of the database."""
    with suppress(OSError):  # SQLite explains better why it cannot be opened
        os.close(os.open(arguments[0], os.O_CREAT | os.O_EXCL, 0o600))
