"""Members looked for by nothing but words: in one statement, made once for each number of words."""

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select

from invite_app.db import has_row_locks
from invite_app.models import Membership
from invite_app.reading import Question, Reader, ask
from invite_app.services import pagination, search
from invite_app.services.search import FilteredList

Order = pagination.Order[Any]
MOST_WORDS = 3
"""So that there are few statements, each of which takes 0.2 MB."""


Found = tuple[list[tuple[Any, ...]], pagination.CappedCount]
"""The lines of a page, and how many there are of all."""


def question(
    lines: Select[Any], organization_id: UUID, fragment: str, place: pagination.PageRequest[Any]
) -> Question | None:
    """What to ask for the `lines` of a page; None where they have to be found in another way.

    Lines begin with the id and hold the columns of the order, which are the membership's own.
    """
    words = search.search_terms(Membership, fragment)
    if words is None or len(words.words) > MOST_WORDS:
        return None
    limits = search.limits()
    statement = _search(
        lines, len(words.words), place.order, bool(place.position), place.backward, has_row_locks(), limits
    )
    return statement.question(organization_id=organization_id, **words.values, **place.values)


def read(answered: Question) -> Found | None:
    """What was found; None where it has to be found in another way."""
    rows = answered.rows or []
    if (number := rows[0][0]) is None:
        return None
    return [row[1:] for row in rows if row[1]], pagination.CappedCount(number, search.COUNT_CAP)


def ids_of(
    organization_id: UUID, fragment: str, place: pagination.PageRequest[Any]
) -> tuple[list[UUID], pagination.CappedCount] | None:
    """The ids of a page, in no order that could be meant, and how many there are of all."""
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
