"""One parameterized query for a page of a list with a single `Test`.

`list_plan` runs several queries and chooses the next by the result of the last. The combined query makes that choice
inside the database, so it needs one round trip and is compiled once for all values.
"""

from typing import Any

from sqlalchemy import CTE, ScalarSelect, Select, case, func, null, select, true, union_all

from invite_app.db import is_postgresql
from invite_app.services.pagination import PageRequest

from . import list_plan
from .filtered_list import FilteredList


def combined_statement(lines: Select[Any], narrow: FilteredList, place: PageRequest[Any]) -> Select[Any]:
    """Return a query for the number of matches, up to `COUNT_CAP`, and the columns of each row of the page.

    An empty page is one row whose other columns are NULL. The number is NULL when the matches are neither rare nor
    common; ignore the rows then and use `list_plan`.
    """
    near, ahead = _near_or_ahead(narrow, place)
    columns = [column.label(f"c{number}") for number, column in enumerate(place.order.columns)]
    found = list_plan.materialized(narrow.fitting_of(near, columns))
    is_common, is_rare = _number(ahead) > place.limit, _number(near) <= list_plan.INDEX_LIMIT
    few = place.of(select(found.c[0]).where(is_rare), [found.c[one.name] for one in columns]).subquery()
    page = list_plan.materialized(union_all(select(ahead.c[0]).where(is_common), select(few)), "page")
    number = case((is_common, list_plan.count_common(narrow, place)), (is_rare, _number(found)), else_=null())
    numbers = select(number.label("number")).subquery()
    line = lines.where(narrow.key.in_(select(page.c[0]))).subquery()
    rows = select(numbers.c.number, *line.c).select_from(numbers.outerjoin(line, true()))
    return place.sorted(rows, [line.c[column.key] for column in place.order.columns])


def _near_or_ahead(narrow: FilteredList, place: PageRequest[Any]) -> tuple[CTE, CTE]:
    """Return the candidate ids of the index, up to `INDEX_LIMIT` + 1, and the page's ids in the next scan window.

    Each is left empty when the other suffices. PostgreSQL queries the index last because it reads all entries before
    it returns the first.
    """
    known = select(narrow.tests[0].source.subquery().c[0].label("id")).limit(list_plan.INDEX_LIMIT + 1)
    if is_postgresql():
        ahead = list_plan.materialized(list_plan.page_from_scan(narrow, place), "ahead")
        return list_plan.materialized(known.where(_number(ahead) <= place.limit), "near"), ahead
    near = list_plan.materialized(known, "near")
    size = case((_number(near) > list_plan.INDEX_LIMIT, list_plan.SCAN_WINDOW), else_=0)
    return near, list_plan.materialized(list_plan.page_from_scan(narrow, place, size), "ahead")


def _number(rows: CTE) -> ScalarSelect[int]:
    return select(func.count()).select_from(rows).scalar_subquery()
