"""The migrations of the database, and the check that all of them have been applied."""

from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from sqlalchemy import inspect, text

from invite_app.extensions import db

from .migration_lock import migration_lock

if TYPE_CHECKING:
    from flask_migrate import Migrate

MIGRATIONS = Path(__file__).parents[1] / "migrations"


class Migrations:
    """The extension that Flask-Migrate looks up. It imports Alembic only when a migration runs, for a fast start."""

    db = db
    directory = str(MIGRATIONS)

    @cached_property
    def migrate(self) -> "Migrate":
        from flask_migrate import Migrate  # noqa: PLC0415 - see above

        return Migrate(db=self.db, directory=self.directory, render_as_batch=True, compare_type=True)


def migrate(app: Flask) -> None:
    """Upgrade the SQLite database to the newest migration, one process at a time."""
    with app.app_context(), migration_lock(db.engine):
        if not is_current():
            from flask_migrate import upgrade  # noqa: PLC0415 - see Migrations

            upgrade(directory=Migrations.directory)


def is_reachable() -> bool:
    with db.engine.connect() as connection:
        return connection.execute(text("SELECT 1")).scalar() == 1


def is_current() -> bool:
    """Return whether every migration of this release has been applied.

    A newer release may have added its own: they leave room for the processes of the release before.
    """
    return (current_revision() or "") >= newest_revision()


def current_revision() -> str | None:
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        applied = connection.execute(text("SELECT version_num FROM alembic_version"))
        return applied.scalar_one_or_none()


@cache
def newest_revision() -> str:
    """Return the newest revision of this release. File names of migrations begin with their number."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("*_*.py"))
