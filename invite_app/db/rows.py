"""Writing rows past the session's unit of work, where a request is hot or a list is long.

One flush costs what six inserts cost, and each is handed to the driver `prepared`. All of this is for use inside
`transaction()`. A row that the session follows may be changed too, when the session has nothing to write of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Insert, Update, bindparam, insert, literal, select, update
from sqlalchemy.orm.attributes import set_committed_value

from invite_app.models.types import Base, row_of, written_columns

from . import prepared
from .engine import is_postgresql
from .transactions import session


@dataclass(frozen=True)
class Write:
    """One INSERT or UPDATE with its values, whose names no other write of the same batch uses."""

    statement: Insert | Update
    values: Mapping[str, Any]


def new_row(instance: Base) -> Write:
    """The insert of a `fresh` instance without the session's unit of work, which costs six times as much."""
    prefix = instance.__tablename__
    given = {name: value for name, value in row_of(instance).items() if value is not None}
    bound = {f"{prefix}_{name}": value for name, value in given.items()}
    return Write(_insert_one(type(instance), tuple(given)), bound)


def change(instance: Base, **values: Any) -> Write:
    """The update of a row that was read under the lock; the instance has the new values and counts as unchanged.

    Its `updated_at` stays unless it is among the values.
    """
    for name, value in values.items():
        set_committed_value(instance, name, value)
    prefix = instance.__tablename__
    bound = {f"{prefix}_{name}": value for name, value in values.items()}
    return Write(_update_one(type(instance), tuple(values)), bound | {f"{prefix}_is": instance.id})  # type: ignore[attr-defined]


def insert_all(instances: Sequence[Base]) -> None:
    """Insert `fresh` instances of one model in one statement."""
    if instances:
        model = type(instances[0])
        prepared.insert_many(_insert_many(model), written_columns(model), [row_of(one) for one in instances])


def insert_for_each(template: Base, of: ColumnElement[bool], **taken: Any) -> None:
    """Insert the template once for each row that `of` finds, with the columns that are `taken` from that row.

    The rows never leave the database, which makes this ten times as fast as inserting them one by one.
    """
    columns = template.__table__.columns
    values = {
        name: taken[name] if name in taken else literal(value, columns[name].type)
        for name, value in row_of(template).items()
    }
    query = select(*(value.label(name) for name, value in values.items())).where(of)
    session().connection().execute(insert(template.__table__).from_select(list(values), query))  # type: ignore[arg-type]


def write(*writes: Write) -> None:
    """Do all of them, in one round trip where the database can: each as a common table expression of the last."""
    if not is_postgresql():
        for one in writes:
            prepared.execute(one.statement, one.values)
    else:
        together = _combined(tuple(one.statement for one in writes))
        prepared.execute(together, {name: value for one in writes for name, value in one.values.items()})


@cache
def _insert_many(model: type[Base]) -> Insert:
    return insert(model)


@cache
def _insert_one(model: type[Base], names: tuple[str, ...]) -> Insert:
    """Without columns that stay empty: PostgreSQL's driver keeps no statement of more than 50 values ready."""
    columns, prefix = model.__table__.columns, model.__tablename__
    return insert(model).values({name: bindparam(f"{prefix}_{name}", type_=columns[name].type) for name in names})


@cache
def _update_one(model: type[Base], names: tuple[str, ...]) -> Update:
    columns, prefix = model.__table__.columns, model.__tablename__
    values: dict[str, Any] = {name: bindparam(f"{prefix}_{name}", type_=columns[name].type) for name in names}
    if "updated_at" in columns:
        values.setdefault("updated_at", columns.updated_at)
    return update(model).where(columns.id == bindparam(f"{prefix}_is", type_=columns.id.type)).values(values)


@cache
def _combined(statements: tuple[Insert | Update, ...]) -> Insert | Update:
    *others, last = statements
    return last.add_cte(*(one.cte(f"write_{number}") for number, one in enumerate(others)))
