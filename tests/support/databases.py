"""A new, migrated database per test, of each kind; migrated once per run, then copied or emptied."""

import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from filelock import FileLock
from flask import Flask

from invite_app import create_app
from invite_app.db import migrate
from invite_app.mail import rendering
from invite_app.mail.smtp import SmtpTransport

from .database_pool import UsedDatabases
from .postgres import PostgresServer, shared_server

KINDS = ("sqlite", "postgres")

# For tests of one kind of database; without a mark a test runs on both.
on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("database_kind", ["postgres"], indirect=True)

BASE = {
    "INVITE_SECRET_KEY": "a secret of the tests, worth nothing",
    "INVITE_EXTERNAL_URL": "http://localhost",
    "INVITE_RATE_LIMITS": "off",
    "INVITE_OUTBOX_WORKER": "external",
}
TEMPLATE = "invite_template"


class Databases:
    """Shared by the processes of one run: a folder, a PostgreSQL server, and a migrated template on each."""

    def __init__(self, folder: Path, owner: int) -> None:
        self._folder = folder
        self._owner = owner
        self._postgres: PostgresServer | None = None
        self._used: UsedDatabases | None = None

    def create(self, kind: str, folder: Path) -> str:
        """Return the URL of a migrated database without rows; that of SQLite lies in `folder`."""
        if kind == "sqlite":
            file = shutil.copyfile(self._sqlite_template(), folder / "invite_app.sqlite")
            return f"sqlite:///{file}"
        return self._used_databases().take()

    def create_empty(self, kind: str, folder: Path) -> str:
        """Return the URL of a new database without tables."""
        if kind == "sqlite":
            return f"sqlite:///{folder / 'empty.sqlite'}"
        return self.postgres().create(f"test_{uuid4().hex}")

    def drop(self, url: str) -> None:
        if url.startswith("sqlite") or (self._used and self._used.release(url)):
            return
        self.postgres().drop(url.rpartition("/")[2])

    def postgres(self) -> PostgresServer:
        if self._postgres is None:
            self._postgres = shared_server(self._folder, self._owner)
        return self._postgres

    def close(self) -> None:
        if self._used is not None:
            self._used.close()
        if self._postgres is not None:
            self._postgres.close()

    def _sqlite_template(self) -> Path:
        template = self._folder / "template.sqlite"
        self._once("sqlite", lambda: f"sqlite:///{template}")
        return template

    def _used_databases(self) -> UsedDatabases:
        if self._used is None:
            server = self.postgres()
            self._once("postgres", lambda: _replace(server, TEMPLATE))
            self._used = UsedDatabases(server, TEMPLATE)
        return self._used

    def _once(self, kind: str, new_url: Callable[[], str]) -> None:
        done = self._folder / f"{kind}.migrated"
        if done.exists():
            return
        with FileLock(self._folder / f"{kind}.migrate.lock"):
            if not done.exists():
                _migrate(new_url(), self._folder / f"{kind}-instance")
                done.touch()


def dispose(app: Flask) -> None:
    """Release an app that is no longer needed: its connections, to database and mail server, and its templates."""
    if isinstance(transport := app.extensions["invite_app.transport"], SmtpTransport):
        transport.close()
    with app.app_context():
        for engine in app.extensions["sqlalchemy"].engines.values():
            engine.dispose()
    rendering._shared_parts.cache_clear()  # they belong to 64 apps, where a server has one


def _replace(server: PostgresServer, database: str) -> str:
    server.drop(database)  # a server that outlives the run may have an older one
    return server.create(database)


def _migrate(url: str, instance: Path) -> None:
    instance.mkdir(exist_ok=True)
    environ = {**BASE, "INVITE_DATABASE_URL": url, "INVITE_INSTANCE_PATH": str(instance)}
    app = create_app(environ, testing=True)
    migrate(app)
    dispose(app)
