"""Pages of lists that are narrowed down, at a cost that does not grow with the list.

There are two ways to the rows of a page: to walk the list in its order and leave out what does not match, which is
quick for what is common, or to take the few rows that an index knows of and to sort them, which is quick for what is
rare. Which one it is shows by looking a little way along each: first at the next `WINDOW` rows of the list, then at
`LOOK` rows of the index; what is not rare there is common enough to be walked to.

Measured at 300,000 rows: walking to what is rare takes 35 ms on SQLite and 800 ms on PostgreSQL, asking the index for
what every row has 16 ms on PostgreSQL before a row is read, sorting one row in twenty 40 ms on SQLite; so both take
about 1 ms. What is neither, like a given name that one in twenty has, still costs a walk to it: 200 ms at
a million.
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

from invite_app.db import has_row_locks, session
from invite_app.services.pagination import CappedCount, Columns, Page, PageRequest

from .filtered_list import FilteredList, Source

Row = TypeVar("Row")
COUNT_CAP = 1000
"""Totals of narrowed lists are counted so far."""
INDEX_LIMIT = COUNT_CAP
SMALL_RESULT = 300
"""More than what waits for SQLite's index, of which a search looks at every row."""
SCAN_WINDOW = 500
COMMON_IN_WINDOW = SCAN_WINDOW // 10
"""What so many rows of a window have is quicker walked to than looked up."""


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
    """The page of the rows that fit at this place, as they are `made` of what `complete` reads: its first column.

    Unless the total is known, it is counted up to CAP, or all of it if it has to be exact; that, and an offset, cost
    what they count.
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
    """How many rows fit (`number`, up to CAP), and of a single one its id (`key`): for one test, in one statement.

    What is common in a window is counted along the list; anything else in the index.
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
    """How the rows of a page are read, by their ids."""

    complete: Select[Any]
    made: Callable[[Any], Row]

    def of(self, narrow: FilteredList, place: PageRequest[Row], ids: Select[Any] | list[Any]) -> Select[Any]:
        return place.sorted(self.complete.where(narrow.key.in_(ids)))

    def rows(self, narrow: FilteredList, place: PageRequest[Row], ids: Select[Any] | list[Any]) -> list[Row]:
        return [self.made(row) for row in session().execute(self.of(narrow, place, ids))]

    def rows_and_number(
        self, narrow: FilteredList, place: PageRequest[Row], ids: Select[Any] | list[Any], number: ColumnElement[int]
    ) -> tuple[list[Row], CappedCount]:
        """The rows, and a number that is read in the same statement and counts up to CAP."""
        found = session().execute(self.of(narrow, place, ids).add_columns(number)).all()
        if found or not place.position:
            return [self.made(row[:-1]) for row in found], CappedCount(found[0][-1] if found else 0, COUNT_CAP)
        return [], CappedCount(session().scalar(select(number)) or 0, COUNT_CAP)


def _looked_up(narrow: FilteredList) -> list[str] | None:
    """The ids, as SQLite has them, that the index gives for the one thing looked for, at most one more than LOOK.

    None where asking it first would not pay: PostgreSQL finds all before it gives one.
    """
    if len(narrow.tests) != 1 or narrow.sources or has_row_locks():
        return None
    found = type_coerce(narrow.tests[0].source.subquery().c[0], String)  # to make ids of a thousand takes 2 ms
    return list(session().scalars(select(found).limit(INDEX_LIMIT + 1)))


def _of_few(reading: Reading[Row], narrow: FilteredList, place: PageRequest[Row], near: list[str]) -> Page[Row]:
    """Of very few all rows are read, and cut to the page: a third less than a statement that counts and cuts them."""
    if len(near) > SMALL_RESULT:
        return _among_few(reading, narrow, place, narrow.tests[0].source)
    rows = reading.rows(narrow, place, narrow.fitting_of(near, ()))
    return place.page(place.cut(rows), CappedCount(len(rows), COUNT_CAP))


def page_from_scan(
    narrow: FilteredList, place: PageRequest[Row], size: int | ColumnElement[int] = SCAN_WINDOW
) -> Select[Any]:
    """The ids of the page among the next rows of the list."""
    found, columns = _fitting_among(narrow, place, size)
    return place.sorted(found, columns).limit(place.limit + 1)


def _number_along(narrow: FilteredList, place: PageRequest[Any], at_most: int, size: int) -> ScalarSelect[int]:
    """How many fit among the first so many rows of the list, up to `at_most`."""
    found, _ = _fitting_among(narrow, replace(place, position=()), size)
    return select(func.count()).select_from(found.limit(at_most).subquery()).scalar_subquery()


def _has_many(narrow: FilteredList, place: PageRequest[Any]) -> ColumnElement[bool]:
    """Whether more than CAP fit, seen from rows enough for that if they are common.

    Told to walk until it has CAP instead, PostgreSQL sorts the whole list: 150 ms at a million.
    """
    return _number_along(narrow, place, COUNT_CAP + 1, COUNT_CAP * SCAN_WINDOW // COMMON_IN_WINDOW) > COUNT_CAP


def _fitting_among(
    narrow: FilteredList, place: PageRequest[Any], size: int | ColumnElement[int]
) -> tuple[Select[Any], Columns]:
    """The ids of those that fit among the next rows of the list, in no order, and the columns of the order."""
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
    """How many fit of what is common, so that counting to CAP ends soon."""
    return case((_has_many(narrow, place), COUNT_CAP + 1), else_=narrow.counted(COUNT_CAP, place))


def _fewest(narrow: FilteredList) -> Source | None:
    """The source that has the fewest rows, if those are few."""
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
    """A part that the database works out on its own, so that it cannot take the order of the page for a shortcut."""
    return query.cte(name).prefix_with("MATERIALIZED")
