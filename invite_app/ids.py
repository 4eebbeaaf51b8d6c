"""Ids as they come in from outside."""

from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID


def parse_id(value: UUID | str, otherwise: Exception) -> UUID:
    """The id in `value`. Raises `otherwise` when it cannot be one, as for an id that nothing has."""
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except ValueError:
        raise otherwise from None


def valid_ids(values: Iterable[UUID | str]) -> list[UUID]:
    """Those of the values that can be ids; nothing has any of the others."""
    found = []
    for value in values:
        with suppress(ValueError):
            found.append(parse_id(value, ValueError()))
    return found
