"""Keyset pagination: a cursor names the row where a page ends, so page one thousand costs what page one costs."""

import base64
import json
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, bindparam, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from invite_app.db import session

from .validation import has_control_characters

Row = TypeVar("Row")
Columns = Sequence[InstrumentedAttribute[Any]] | Sequence[ColumnElement[Any]]
MAX_LIMIT = 500
_READERS: dict[str, Callable[[str], Any]] = {
    "t": lambda text: datetime.fromisoformat(text).astimezone(UTC),
    "u": UUID,
    "b": {"True": True, "False": False}.__getitem__,
    "s": str,
}


class CappedCount(int):
    """A count that may have stopped at a limit; it then reads "1,000+"."""

    is_exact: bool

    def __new__(cls, number: int, at_most: int | None = None) -> "CappedCount":
        made = super().__new__(cls, number if at_most is None else min(number, at_most))
        made.is_exact = at_most is None or number <= at_most
        return made

    def __format__(self, form: str) -> str:
        return int.__format__(int(self), form) + ("" if self.is_exact else "+")

    def __str__(self) -> str:
        return format(self)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows of a list, with the cursors of the pages beside it and the total of all pages (which may be a Count)."""

    items: list[Row]
    total: int
    next: str | None = None
    previous: str | None = None

    @property
    def is_total_exact(self) -> bool:
        return not isinstance(self.total, CappedCount) or self.total.is_exact


@dataclass(frozen=True)
class Order(Generic[Row]):
    """A total order: columns, all in one direction, and how to read their values from a row."""

    columns: Sequence[InstrumentedAttribute[Any]]
    values: Callable[[Row], Sequence[Any]]
    descending: bool = False


@dataclass(frozen=True)
class PageRequest(Generic[Row]):
    """The start of a page in an order, or its end when backward. No position means the start of the order."""

    order: Order[Row]
    position: Sequence[Any]
    backward: bool
    limit: int

    @property
    def values(self) -> dict[str, Any]:
        """Return the values of the query parameters."""
        return {"limit": self.limit, **{f"position_{number}": value for number, value in enumerate(self.position)}}

    def of(self, query: Select[Any], columns: Columns | None = None, offset: int = 0) -> Select[Any]:
        """The rows of the page and one more, as they are read; `columns` stand in for those of the order."""
        if self.position:
            edge, position = tuple_(*(columns or self.order.columns)), tuple_(*self.position)
            query = query.where(edge < position if self._is_falling else edge > position)
        return self.sorted(query, columns).offset(offset or None).limit(self.limit + 1)

    def sorted(self, query: Select[Any], columns: Columns | None = None) -> Select[Any]:
        columns = columns or self.order.columns
        return query.order_by(*(column.desc() if self._is_falling else column.asc() for column in columns))

    def cut(self, rows: list[Row]) -> list[Row]:
        """Return the page that `of` would select, from rows in the order of `sorted`."""
        if self.position:
            position = tuple(self.position)
            beyond = operator.lt if self._is_falling else operator.gt
            rows = [row for row in rows if beyond(tuple(self.order.values(row)), position)]
        return rows[: self.limit + 1]

    @property
    def _is_falling(self) -> bool:
        return self.order.descending != self.backward

    def page(self, rows: list[Row], total: int) -> Page[Row]:
        """The page of what `of` has found."""
        more, rows = len(rows) > self.limit, rows[: self.limit]
        if self.backward:
            rows.reverse()
        has_next, has_previous = (bool(self.position), more) if self.backward else (more, bool(self.position))
        return Page(
            rows,
            total,
            next=cursor_at(self.order, rows[-1]) if rows and has_next else None,
            previous=cursor_at(self.order, rows[0], backward=True) if rows and has_previous else None,
        )


def page_request(cursor: str | None, order: Order[Row], limit: int) -> PageRequest[Row]:
    """Decode a cursor. An unreadable cursor means the first page."""
    backward, position = _read(cursor, order.columns)
    return PageRequest(order, position, backward, max(1, min(limit, MAX_LIMIT)))


def page_parameters(order: Order[Row], has_position: bool, backward: bool) -> PageRequest[Row]:
    """Any place in this order, for a statement that is made once; `Place.values` has its parameters."""
    position = [bindparam(f"position_{number}", type_=column.type) for number, column in enumerate(order.columns)]
    limit: Any = bindparam("limit", type_=Integer)
    return PageRequest(order, position if has_position else (), backward, limit)


def fetch(
    query: Select[Row], order: Order[Row], *, total: int, cursor: str | None, limit: int, offset: int = 0
) -> Page[Row]:
    """The page of `query` at `cursor`, or the first. A cursor that cannot be read means the first page.

    `offset` is for wire formats that count rows; it costs what it skips.
    """
    here = page_request(cursor, order, limit)
    return here.page(list(session().scalars(here.of(query, offset=offset)).unique()), total)


def cursor_at(order: Order[Row], row: Row, *, backward: bool = False) -> str:
    """The cursor of the page that follows a row, or of the one that ends before it."""
    return _write("p" if backward else "n", order.values(row))


def _write(direction: str, values: Sequence[Any]) -> str:
    data = json.dumps([direction, *(_encode(value) for value in values)], separators=(",", ":"))
    return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")


def _read(cursor: str | None, columns: Sequence[InstrumentedAttribute[Any]]) -> tuple[bool, list[Any]]:
    try:
        data = json.loads(base64.urlsafe_b64decode((cursor or "") + "=" * (-len(cursor or "") % 4)))
        direction, values = data[0], [_decode(item) for item in data[1:]]
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError):
        return False, []
    fits = [type(value) for value in values] == [column.type.python_type for column in columns]
    return (direction == "p", values) if fits else (False, [])


def _encode(value: Any) -> list[str]:
    if isinstance(value, datetime):
        return ["t", value.isoformat()]
    if isinstance(value, bool):
        return ["b", str(value)]
    return ["u", value.hex] if isinstance(value, UUID) else ["s", str(value)]


def _decode(item: Any) -> Any:
    kind, text = item
    if not isinstance(text, str) or has_control_characters(text):
        raise ValueError
    return _READERS[kind](text)
