"""Query plans for pages of filtered lists, whose cost hardly depends on the length of the list.

There are two plans. A scan reads the list in its order and skips rows that do not match; it is fast when matches are
common. An index lookup reads all candidate rows and sorts them; it is fast when matches are rare.

The choice is made by sampling: first the next `SCAN_WINDOW` rows of the list, then up to `INDEX_LIMIT` rows of the
index. When neither decides, the list is scanned; that is the slowest case.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    ScalarSelect,
    Select,
    String,
    Subquery,
    case,
    func,
    null,
    select,
    type_coerce,
)

from invite_app.db import is_postgresql, session
from invite_app.services.pagination import CappedCount, Columns, Page, PageRequest

from .filtered_list import FilteredList, Source

Row = TypeVar("Row")
# Totals of filtered lists are exact up to this number.
COUNT_CAP = 1000
# Candidate ids read from an index before its matches count as common.
INDEX_LIMIT = COUNT_CAP
# Up to this number, all candidates are read and cut to the page in Python. Larger than the number of rows that can
# wait for SQLite's index, because every search reads all of those.
SMALL_RESULT = 300
# Rows of the list that a scan reads before the index is tried.
SCAN_WINDOW = 500
# With more matches than this in a window, a scan is faster than the index.
COMMON_IN_WINDOW = SCAN_WINDOW // 10


def limits() -> tuple[int, ...]:
    """Return the limits that statements are built with, as a part of their cache keys."""
    return COUNT_CAP, INDEX_LIMIT, SCAN_WINDOW, COMMON_IN_WINDOW


def fetch_page(
    complete: Select[Any],
    narrow: FilteredList,
    place: PageRequest[Row],
    made: Callable[[Any], Row] = itemgetter(0),
    *,
    total: int | None = None,
    offset: int = 0,
    exact: bool = False,
) -> Page[Row]:
    """Return a page of matching rows. `complete` selects them, `made` converts each database row.

    A `total` that is not given is counted up to `COUNT_CAP`, or completely if `exact`. The cost of an exact total and
    of an offset grows with the number of rows.
    """
    reading = Reading(complete, made)
    if offset or exact:
        rows = reading.rows(narrow, place, place.of(narrow.fitting, offset=offset))
        return place.page(rows, narrow.total(None) if total is None else total)
    near = _looked_up(narrow)
    if near is not None and len(near) <= INDEX_LIMIT:
        return _of_few(reading, narrow, place, near)
    ids = list(session().scalars(page_from_scan(narrow, place))) if narrow.tests else []
    if len(ids) > place.limit:
        return _walked(reading, narrow, place, ids, total)
    if near is None and (few := _fewest(narrow)) is not None:
        return _among_few(reading, narrow, place, few)
    return _walked(reading, narrow, place, place.of(narrow.fitting), total)


def count_with_single_match(narrow: FilteredList, place: PageRequest[Row]) -> Subquery:
    """Return a subquery with the `number` of matches, up to `COUNT_CAP` + 1, and the `key` of a single match.

    The list has exactly one test. Common matches are counted by a scan, others through the index.
    """
    near = select(narrow.tests[0].source.subquery().c[0].label("id")).limit(COUNT_CAP + 1).cte("near")
    found = materialized(narrow.fitting_of(near, ()))
    in_index = select(func.count()).select_from(found).scalar_subquery()
    is_rare = _number_along(narrow, place, COMMON_IN_WINDOW + 1, SCAN_WINDOW) <= COMMON_IN_WINDOW
    is_common = case((is_rare, False), else_=_has_many(narrow, place))
    return select(
        case((is_common, COUNT_CAP + 1), else_=in_index).label("number"),
        case((is_common, null()), (in_index == 1, select(found.c[0]).scalar_subquery())).label("key"),
    ).subquery()


@dataclass(frozen=True)
class Reading(Generic[Row]):
    """The query that loads the rows of a page by id, and the conversion of each row."""

    complete: Select[Any]
    made: Callable[[Any], Row]

    def of(self, narrow: FilteredList, place: PageRequest[Row], ids: Select[Any] | list[Any]) -> Select[Any]:
        return place.sorted(self.complete.where(narrow.key.in_(ids)))

    def rows(self, narrow: FilteredList, place: PageRequest[Row], ids: Select[Any] | list[Any]) -> list[Row]:
        return [self.made(row) for row in session().execute(self.of(narrow, place, ids))]

    def rows_and_number(
        self, narrow: FilteredList, place: PageRequest[Row], ids: Select[Any] | list[Any], number: ColumnElement[int]
    ) -> tuple[list[Row], CappedCount]:
        """Return the rows and their number, counted up to `COUNT_CAP` in the same query."""
        found = session().execute(self.of(narrow, place, ids).add_columns(number)).all()
        if found or not place.position:
            return [self.made(row[:-1]) for row in found], CappedCount(found[0][-1] if found else 0, COUNT_CAP)
        return [], CappedCount(session().scalar(select(number)) or 0, COUNT_CAP)


def _looked_up(narrow: FilteredList) -> list[str] | None:
    """Return up to `INDEX_LIMIT` + 1 candidate ids of the only test, in SQLite's storage format.

    Return None on PostgreSQL, which reads all index entries before it returns the first, and for other filters.
    """
    if len(narrow.tests) != 1 or narrow.sources or is_postgresql():
        return None
    found = type_coerce(narrow.tests[0].source.subquery().c[0], String)  # converting a thousand ids to UUID is slow
    return list(session().scalars(select(found).limit(INDEX_LIMIT + 1)))


def _of_few(reading: Reading[Row], narrow: FilteredList, place: PageRequest[Row], near: list[str]) -> Page[Row]:
    """Return the page of a small result, read completely and cut in Python, which is faster than counting it."""
    if len(near) > SMALL_RESULT:
        return _among_few(reading, narrow, place, narrow.tests[0].source)
    rows = reading.rows(narrow, place, narrow.fitting_of(near, ()))
    return place.page(place.cut(rows), CappedCount(len(rows), COUNT_CAP))


def page_from_scan(
    narrow: FilteredList, place: PageRequest[Row], size: int | ColumnElement[int] = SCAN_WINDOW
) -> Select[Any]:
    """Select the ids of the page among the next `size` rows of the list."""
    found, columns = _fitting_among(narrow, place, size)
    return place.sorted(found, columns).limit(place.limit + 1)


def _number_along(narrow: FilteredList, place: PageRequest[Any], at_most: int, size: int) -> ScalarSelect[int]:
    """Count the matches among the first `size` rows of the list, up to `at_most`."""
    found, _ = _fitting_among(narrow, replace(place, position=()), size)
    return select(func.count()).select_from(found.limit(at_most).subquery()).scalar_subquery()


def _has_many(narrow: FilteredList, place: PageRequest[Any]) -> ColumnElement[bool]:
    """Return the condition that more than `COUNT_CAP` rows match, for common matches.

    It reads a fixed number of rows: with a limit on the matches instead, PostgreSQL sorts the whole list.
    """
    return _number_along(narrow, place, COUNT_CAP + 1, COUNT_CAP * SCAN_WINDOW // COMMON_IN_WINDOW) > COUNT_CAP


def _fitting_among(
    narrow: FilteredList, place: PageRequest[Any], size: int | ColumnElement[int]
) -> tuple[Select[Any], Columns]:
    """Select the ids of matches among the next `size` rows, unordered; also return the columns of the order."""
    columns = [column.label(f"c{number}") for number, column in enumerate(place.order.columns)]
    tested = [test.column.label(f"t{number}") for number, test in enumerate(narrow.tests)]
    rows = narrow.untested.with_only_columns(narrow.key.label("key"), *tested, *columns)
    window = place.of(rows).limit(size).subquery()
    conditions = [
        one
        for test, column in zip(narrow.tests, tested, strict=True)
        for one in test.conditions(window.c[column.name])
    ]
    return select(window.c.key).where(*conditions), [window.c[one.name] for one in columns]


def count_common(narrow: FilteredList, place: PageRequest[Any]) -> ColumnElement[int]:
    """Count common matches by a scan, up to `COUNT_CAP` + 1."""
    return case((_has_many(narrow, place), COUNT_CAP + 1), else_=narrow.counted(COUNT_CAP, place))


def _fewest(narrow: FilteredList) -> Source | None:
    """Return the source with the fewest ids, or None when it has more than `INDEX_LIMIT`."""
    sources = [*narrow.sources, *(test.source for test in narrow.tests)]
    if not sources:
        return None
    looked = (select(source.subquery().c[0]).limit(INDEX_LIMIT + 1).subquery() for source in sources)
    numbers = session().execute(select(*(select(func.count()).select_from(one).scalar_subquery() for one in looked)))
    number, fewest = min(zip(numbers.one(), sources, strict=True), key=itemgetter(0))
    return fewest if number <= INDEX_LIMIT else None


def _among_few(reading: Reading[Row], narrow: FilteredList, place: PageRequest[Row], source: Source) -> Page[Row]:
    near = select(source.subquery().c[0].label("id")).cte("near")
    columns = [column.label(f"c{number}") for number, column in enumerate(place.order.columns)]
    found = materialized(narrow.fitting_of(near, columns))
    ids = place.of(select(found.c[0]), [found.c[one.name] for one in columns])
    number = select(func.count()).select_from(found).scalar_subquery()
    return place.page(*reading.rows_and_number(narrow, place, ids, number))


def _walked(
    reading: Reading[Row],
    narrow: FilteredList,
    place: PageRequest[Row],
    ids: Select[Any] | list[Any],
    total: int | None,
) -> Page[Row]:
    if total is None and narrow.tests:
        return place.page(*reading.rows_and_number(narrow, place, ids, count_common(narrow, place)))
    rows = reading.rows(narrow, place, ids)
    if total is None:
        total = len(rows) if len(rows) <= place.limit and not place.position else narrow.total(COUNT_CAP, place)
    return place.page(rows, total)


def materialized(query: Select[Any] | CompoundSelect[Any], name: str = "found") -> CTE:
    """Return the query as a materialized CTE, which keeps the planner from scanning the list in page order."""
    return query.cte(name).prefix_with("MATERIALIZED")
