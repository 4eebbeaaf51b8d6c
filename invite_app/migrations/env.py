"""Run the migrations over the application's own engine, one process at a time."""

from typing import Any, Literal

import click
from alembic import context
from flask import current_app
from sqlalchemy import JSON, Connection

from invite_app.db import lock_in_transaction, migration_lock, newest_revision
from invite_app.models.search import is_managed
from invite_app.models.types import Base, UtcDateTime


def render_item(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    """Write our column types into migrations as the plain types they are."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        autogenerate.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        include_name=is_managed,
        render_item=render_item,
    )
    with context.begin_transaction():
        lock_in_transaction(connection)
        if not is_done_by_newer_release():
            context.run_migrations()


def is_done_by_newer_release() -> bool:
    """Return whether `flask db upgrade` finds nothing to do since a newer release has migrated the database."""
    command = click.get_current_context(silent=True)
    applied = context.get_context().get_current_revision() or ""
    if command is None or command.info_name != "upgrade" or applied <= newest_revision():
        return False
    click.echo(f"The database is at migration {applied}, of a newer release. There is nothing to upgrade.", err=True)
    return True


engine = current_app.extensions["migrate"].db.engine
with migration_lock(engine), engine.connect() as connection:
    run(connection.execution_options(begin_immediate=True))
