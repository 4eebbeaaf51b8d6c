"""Pages of a list: a cursor names the place where one ends."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pydantic import Field

from invite_app.api.schema import Schema
from invite_app.services.pagination import Page

Item = TypeVar("Item")
Row = TypeVar("Row")


class PageQuery(Schema):
    cursor: str | None = Field(default=None, description="`next_cursor` or `previous_cursor` of another page.")
    limit: int = Field(default=25, ge=1, le=100)


class Listed(Schema, Generic[Item]):
    data: list[Item]
    has_more: bool
    total: int = Field(description="Of a list that is narrowed down, at most 1,000 are counted.")
    is_total_exact: bool = Field(description="False when there are more than were counted.")
    next_cursor: str | None
    previous_cursor: str | None


def listed(page: Page[Row], shown: Callable[[Row], Item]) -> Listed[Any]:
    return Listed(
        data=[shown(item) for item in page.items],
        has_more=page.next is not None,
        total=page.total,
        is_total_exact=page.is_total_exact,
        next_cursor=page.next,
        previous_cursor=page.previous,
    )
