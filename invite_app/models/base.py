"""What every model shares: the declarative base, ids and aware UTC times."""

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, DateTime, Dialect, MetaData, String, TypeDecorator, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry
from uuid_utils.compat import uuid7

NAMING_CONVENTION = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Json = JSON().with_variant(JSONB(), "postgresql")
"""A JSON document: text on SQLite, JSONB on PostgreSQL."""


def sortable(length: int) -> Any:
    """A text column type that sorts by code point on both databases, so that cursors mean the same."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time; a naive one is refused, so that no local time can slip in."""

    impl = DateTime(timezone=True)
    cache_ok = True
    python_type = datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times are aware")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    registry = registry(
        metadata=MetaData(naming_convention=NAMING_CONVENTION),
        type_annotation_map={datetime: UtcTime(), UUID: Uuid(), dict[str, Any]: Json, list[str]: Json},
    )


class Identified:
    """A primary key that grows with time, so that new rows lie side by side in the index."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-1)


def row_of(instance: Base) -> dict[str, Any]:
    """The row of a new instance, for an insert without the session.

    What nobody has set gets the default of its column, on the instance too.
    """
    held = instance.__dict__
    for name, default in _defaults(type(instance)):
        if name not in held:
            setattr(instance, name, default())
    return {name: held[name] for name in _columns(type(instance))}


@cache
def _columns(model: type[Base]) -> tuple[str, ...]:
    return tuple(column.key for column in model.__table__.columns if column.computed is None)


@cache
def _defaults(model: type[Base]) -> tuple[tuple[str, Callable[[], Any]], ...]:
    columns = model.__table__.columns
    return tuple((column.key, _producer(column.default)) for column in columns if column.computed is None)


def _producer(default: Any) -> Callable[[], Any]:
    if default is None:
        return lambda: None
    if default.is_callable:
        return lambda: default.arg(None)
    return lambda: default.arg


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def folded(name: str) -> str:
    """The form of a name in which two spellings of the same name are equal."""
    return unicodedata.normalize("NFKC", name).casefold().strip()
