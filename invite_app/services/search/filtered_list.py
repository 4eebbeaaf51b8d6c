"""What a list is narrowed to: conditions on its rows, and ids from indexes. `list_plan` reads its pages."""

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
    """What no index of the list helps with: conditions on a column, and the ids of all rows that meet them (and of
    others) from an index of its own.
    """

    column: Column
    conditions: Callable[[Column], Sequence[ColumnElement[bool]]]
    source: Source


@dataclass(frozen=True)
class FilteredList:
    """What a list is narrowed to: `rows` selects the table with the joins that order and conditions need.

    `equals` are columns and their values, which an index of the list may begin with. Each of the `sources` gives the
    ids of all rows that fit, and of others.
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
        """The ids of the rows that fit."""
        return self.untested.with_only_columns(self.key).where(*self._tested)

    def fitting_of(self, ids: CTE | list[str], columns: Columns) -> Select[Any]:
        """The ids, with more columns, of those rows that fit; written so that no index but that of ids is of use.

        A list holds ids as SQLite has them.
        """
        among = type_coerce(self.key, String).in_(ids) if isinstance(ids, list) else self.key.in_(select(ids.c.id))
        equal = (func.coalesce(column, column) == value for column, value in self.equals.items())
        query = self.rows.with_only_columns(self.key, *columns).where(among)
        return query.where(*equal, *self.conditions, *self._tested)

    def counted(self, at_most: int | None, place: PageRequest[Any] | None = None) -> ScalarSelect[int]:
        """How many there are; of more than `at_most`, one more than that. Walked like the list at `place`."""
        walked = place.sorted(self.fitting) if place else self.fitting
        limited = walked.limit(None if at_most is None else at_most + 1).subquery()
        return select(func.count()).select_from(limited).scalar_subquery()

    def total(self, at_most: int | None, place: PageRequest[Any] | None = None) -> CappedCount:
        return CappedCount(session().scalar(select(self.counted(at_most, place))) or 0, at_most)

    @property
    def _tested(self) -> list[ColumnElement[bool]]:
        return [condition for test in self.tests for condition in test.conditions(test.column)]
