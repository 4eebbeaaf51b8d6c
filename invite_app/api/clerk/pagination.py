"""Pages of a list: `limit` rows after the first `offset`, in an order that the caller names."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Generic, TypeVar

from pydantic import Field

from invite_app.api.schema import Schema
from invite_app.services.pagination import MAX_LIMIT, Order

Item = TypeVar("Item")
Row = TypeVar("Row")

MAX_OFFSET = 2**31 - 1
# Ids, addresses or roles in one filter of a list.
MAX_NAMED = 100


class PageQuery(Schema):
    limit: int = Field(default=10, ge=1, le=MAX_LIMIT)
    offset: int = Field(default=0, ge=0, le=MAX_OFFSET)


class Listed(Schema, Generic[Item]):
    data: list[Item]
    total_count: int


def one_of(orders: Mapping[str, object]) -> str:
    """The pattern of an `order_by`: a name, after '-' for descending or '+' (a space, when it was not escaped)."""
    return f"^[-+ ]?({'|'.join(orders)})$"


def ordered(order_by: str, orders: Mapping[str, Order[Row]]) -> Order[Row]:
    """The order that is meant by an `order_by` of that pattern."""
    return replace(orders[order_by.lstrip("-+ ")], descending=order_by.startswith("-"))
