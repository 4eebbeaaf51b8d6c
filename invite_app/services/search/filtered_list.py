"""Filtered lists: conditions on rows, and candidate ids from indexes. `list_plan` reads their pages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE, ColumnElement, ScalarSelect, Select, String, TextualSelect, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute

from invite_app.db import session
from invite_app.services.pagination import CappedCount, Columns, PageRequest

Source = Select[Any] | TextualSelect
Column = ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True)
class Test:
    """A condition that has its own index: `source` selects the ids of a superset of the matching rows."""

    column: Column
    conditions: Callable[[Column], Sequence[ColumnElement[bool]]]
    source: Source


@dataclass(frozen=True)
class FilteredList:
    """A list with its filters. `rows` selects the table with the joins that order and conditions need.

    `equals` maps columns to required values, which the list's indexes may start with. Each of the `sources` selects
    the ids of a superset of the matching rows.
    """

    rows: Select[Any]
    key: InstrumentedAttribute[Any]
    equals: Mapping[InstrumentedAttribute[Any], Any]
    conditions: Sequence[ColumnElement[bool]] = ()
    sources: Sequence[Source] = ()
    tests: Sequence[Test] = ()

    @property
    def untested(self) -> Select[Any]:
        return self.rows.where(*(column == value for column, value in self.equals.items()), *self.conditions)

    @property
    def fitting(self) -> Select[Any]:
        """Return a query for the ids of the matching rows."""
        return self.untested.with_only_columns(self.key).where(*self._tested)

    def fitting_of(self, ids: CTE | list[str], columns: Columns) -> Select[Any]:
        """Return a query for those of the `ids` that match, with more columns.

        It is written so that the planner can only use the index on ids. A list holds ids in SQLite's storage format.
        """
        among = type_coerce(self.key, String).in_(ids) if isinstance(ids, list) else self.key.in_(select(ids.c.id))
        equal = (func.coalesce(column, column) == value for column, value in self.equals.items())
        query = self.rows.with_only_columns(self.key, *columns).where(among)
        return query.where(*equal, *self.conditions, *self._tested)

    def counted(self, at_most: int | None, place: PageRequest[Any] | None = None) -> ScalarSelect[int]:
        """Count the matching rows, up to `at_most` + 1. With `place`, rows are counted in the order of the list."""
        matching = place.sorted(self.fitting) if place else self.fitting
        limited = matching.limit(None if at_most is None else at_most + 1).subquery()
        return select(func.count()).select_from(limited).scalar_subquery()

    def total(self, at_most: int | None, place: PageRequest[Any] | None = None) -> CappedCount:
        return CappedCount(session().scalar(select(self.counted(at_most, place))) or 0, at_most)

    @property
    def _tested(self) -> list[ColumnElement[bool]]:
        return [condition for test in self.tests for condition in test.conditions(test.column)]
