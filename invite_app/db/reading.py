"""Read model instances without the session, on paths that every request takes.

This is faster than the session: it looks for no earlier copy and tracks no changes. `attach` adds an instance to the
session.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm.attributes import InstrumentedAttribute, instance_state

from invite_app.models.types import Base, loaded

from . import prepared
from .transactions import session

Model = TypeVar("Model", bound=Base)


class Reader:
    """A statement that selects models, aliased ones too, and columns; built once, and read as often as wanted.

    Models have a key of one column, which is their first. They come `without` the attributes that nobody wants.
    """

    def __init__(
        self, statement: Select[*tuple[Any, ...]], *, without: Collection[InstrumentedAttribute[Any]] = ()
    ) -> None:
        self._statement = statement
        self._without = {(attribute.class_, attribute.key) for attribute in without}

    def first(self, **values: Any) -> tuple[Any, ...] | None:
        """The first row with these values for the statement's parameters: an object for each model."""
        row = prepared.first(self.query, values)
        return None if row is None else self.objects(row)

    def all(self, **values: Any) -> list[tuple[Any, ...]]:
        """All rows with these values for the statement's parameters."""
        return [self.objects(row) for row in prepared.rows(self.query, values)]

    def question(self, **values: Any) -> "Question":
        """The reading with these values, to be asked together with others."""
        return Question(self, values)

    def objects(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """Return the objects of one row of the query."""
        return tuple(
            row[start] if names is None else _object(model, names, row[start:end])
            for model, names, start, end in self._parts
        )

    @cached_property
    def query(self) -> Select[Any]:
        """The statement, for the columns of the models."""
        columns = (column for selected in self._selected for column in self._columns_of(selected))
        return self._statement.with_only_columns(*columns, maintain_column_froms=True)

    @cached_property
    def _parts(self) -> list[tuple[Any, tuple[str, ...] | None, int, int]]:
        """For each thing selected its model and attributes (None: a plain column), and where they stand in a row."""
        parts, start = [], 0
        for selected in self._selected:
            columns = self._columns_of(selected)
            names = tuple(column.key for column in columns) if selected["entity"] is selected["expr"] else None
            parts.append((selected["type"], names, start, start + len(columns)))
            start += len(columns)
        return parts

    @property
    def _selected(self) -> Iterator[dict[str, Any]]:
        return iter(self._statement.column_descriptions)

    def _columns_of(self, selected: dict[str, Any]) -> list[Any]:
        if selected["entity"] is not selected["expr"]:
            return [selected["expr"]]
        model = selected["type"]
        names = (attribute.key for attribute in model.__mapper__.column_attrs)
        return [getattr(selected["entity"], name) for name in names if (model, name) not in self._without]


@dataclass
class Question:
    """A reading to be asked together with others; `rows` is the answer, once it is there."""

    reader: Reader
    values: Mapping[str, Any]
    rows: list[tuple[Any, ...]] | None = None


def ask(*questions: Question) -> None:
    """Have each answered, one after the other, in one round trip where the database can."""
    found = prepared.rows_of_each([(one.reader.query, one.values) for one in questions])
    for question, rows in zip(questions, found, strict=True):
        question.rows = [question.reader.objects(row) for row in rows]


def _object(model: type[Model], names: Sequence[str], values: Sequence[Any]) -> Model | None:
    """The object, known as one of the database's: should a session get hold of it, it is no new one to insert.

    None for what an outer join did not find, of which the key, which comes first, is missing.
    """
    if values[0] is None:
        return None
    instance = loaded(model, zip(names, values, strict=True))
    instance_state(instance).key = (model, (values[0],), None)
    return instance


def refer(instance: Base, **parts: Any) -> None:
    """Set the relationships of an object that belongs to no session."""
    instance.__dict__.update(parts)


def attach(instance: Model) -> Model:
    """Add the object to the session, or return the session's earlier copy. Its changes are written at the commit."""
    current = session()()
    known: Model | None = current.identity_map.get(instance_state(instance).key)
    if known is None:
        current.add(instance)
    return known or instance
