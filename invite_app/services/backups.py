"""Backups of the embedded database; PostgreSQL has programs of its own."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import mkstemp

from invite_app.db import is_sqlite
from invite_app.extensions import db


class NoBackup(Exception):
    """There is nothing here to copy, or the copy is damaged."""


def is_possible() -> bool:
    """Return whether the database in use is the embedded one."""
    return is_sqlite(db.engine)


def write(file: Path) -> int:
    """Copy the embedded database into a new file, for its owner alone, and return the size in bytes.

    Others read and write meanwhile; the copy is the database at one moment. The file is complete or not there at all.
    Raises NoBackup, and OSError (FileExistsError included) and sqlite3.Error.
    """
    database = Path(db.engine.url.database or "")
    if not database.is_file():
        raise NoBackup("There is no database yet.")
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # takes the name, without following a link
    descriptor, partial = mkstemp(prefix=f".{file.name}.", dir=file.parent)
    os.close(descriptor)
    try:
        _copy(database, partial)
        Path(partial).replace(file)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        file.unlink()
        raise
    return file.stat().st_size


def _copy(database: Path, to: str) -> None:
    """Copy in one step, which no writer can make start again, and check the copy."""
    uri = f"{database.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without others beside it
        (found,) = target.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise NoBackup(f"The database is damaged: {found}")
