"""Member search without other filters: one query, compiled once for each number of terms."""

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select

from invite_app.db import is_postgresql
from invite_app.db.reading import Question, Reader, ask
from invite_app.models import Membership
from invite_app.services import pagination, search
from invite_app.services.search import FilteredList

Order = pagination.Order[Any]
# Limits the number of cached queries.
MAX_TERMS = 3
# The rows of a page, and the number of all matches.
Found = tuple[list[tuple[Any, ...]], pagination.CappedCount]


def question(
    lines: Select[Any], organization_id: UUID, fragment: str, place: pagination.PageRequest[Any]
) -> Question | None:
    """Return the query for a page, or None when the search needs `list_plan`.

    `lines` selects the id first and includes the columns of the order.
    """
    words = search.search_terms(Membership, fragment)
    if words is None or len(words.words) > MAX_TERMS:
        return None
    limits = search.limits()
    statement = _search(
        lines, len(words.words), place.order, bool(place.position), place.backward, is_postgresql(), limits
    )
    return statement.question(organization_id=organization_id, **words.values, **place.values)


def read(answered: Question) -> Found | None:
    """Return the rows and their number, or None when the search needs `list_plan`."""
    rows = answered.rows or []
    if (number := rows[0][0]) is None:
        return None
    return [row[1:] for row in rows if row[1]], pagination.CappedCount(number, search.COUNT_CAP)


def ids_of(
    organization_id: UUID, fragment: str, place: pagination.PageRequest[Any]
) -> tuple[list[UUID], pagination.CappedCount] | None:
    """Return the unordered ids of a page and the number of matches, or None as in `read`."""
    if (asked := question(_keys(place.order), organization_id, fragment, place)) is None:
        return None
    ask(asked)
    if (found := read(asked)) is None:
        return None
    lines, number = found
    return [line[0] for line in lines], number


@cache
def _keys(order: Order) -> Select[Any]:
    return select(Membership.id, *(column for column in order.columns if column is not Membership.id))


@cache
def _search(
    lines: Select[Any],
    words: int,
    order: Order,
    has_position: bool,
    backward: bool,
    _has_row_locks: bool,
    _limits: tuple[int, ...],
) -> Reader:
    """Return the statement of a search, which also depends on the kind of database and the limits."""
    here = bindparam("organization_id", type_=Membership.organization_id.type)
    test = search.test_of(Membership, words)
    narrow = FilteredList(select(Membership), Membership.id, {Membership.organization_id: here}, tests=[test])
    return Reader(search.combined_statement(lines, narrow, pagination.page_parameters(order, has_position, backward)))
