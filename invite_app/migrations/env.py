"""Runs the migrations over the application's own engine."""

from typing import Any, Literal

from alembic import context
from flask import current_app
from sqlalchemy import JSON, Connection

from invite_app.models.base import Base, UtcTime
from invite_app.models.search import is_in_models


def render_item(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    """Write our column types into migrations as the plain types they are."""
    if kind == "type" and isinstance(item, UtcTime):
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
        include_name=is_in_models,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()


engine = current_app.extensions["migrate"].db.engine
with engine.connect() as connection:
    run(connection.execution_options(begin_immediate=True))
