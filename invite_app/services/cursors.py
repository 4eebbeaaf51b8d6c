"""Keyset pagination: a cursor names the row where a page ends, so page one thousand costs what page one costs."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from invite_app.db import session

from .values import has_control_characters

Row = TypeVar("Row")
MAX_LIMIT = 500
_READERS: dict[str, Callable[[str], Any]] = {
    "t": lambda text: datetime.fromisoformat(text).astimezone(UTC),
    "u": UUID,
    "b": {"True": True, "False": False}.__getitem__,
    "s": str,
}


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows of a list, with the cursors of the pages beside it and the total of all pages."""

    items: list[Row]
    total: int
    next: str | None = None
    previous: str | None = None


@dataclass(frozen=True)
class Order(Generic[Row]):
    """A total order: columns, all in one direction, and how to read their values from a row."""

    columns: Sequence[InstrumentedAttribute[Any]]
    values: Callable[[Row], Sequence[Any]]
    descending: bool = False


def fetch(
    query: Select[Row], order: Order[Row], *, total: int, cursor: str | None, limit: int, offset: int = 0
) -> Page[Row]:
    """The page of `query` at `cursor`, or the first. A cursor that cannot be read means the first page.

    `offset` is for wire formats that count rows; it costs what it skips.
    """
    limit = max(1, min(limit, MAX_LIMIT))
    backward, position = _read(cursor, order.columns)
    falling = order.descending != backward
    if position:
        edge = tuple_(*order.columns)
        query = query.where(edge < tuple_(*position) if falling else edge > tuple_(*position))
    query = query.order_by(*(column.desc() if falling else column.asc() for column in order.columns))
    rows = list(session().scalars(query.offset(offset or None).limit(limit + 1)).unique())
    more, rows = len(rows) > limit, rows[:limit]
    if backward:
        rows.reverse()
    has_next, has_previous = (bool(position), more) if backward else (more, bool(position))
    return Page(
        rows,
        total,
        next=beside(order, rows[-1]) if rows and has_next else None,
        previous=beside(order, rows[0], backward=True) if rows and has_previous else None,
    )


def beside(order: Order[Row], row: Row, *, backward: bool = False) -> str:
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
