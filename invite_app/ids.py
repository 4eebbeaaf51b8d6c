"""Ids as they come in from outside."""

from uuid import UUID


def parse(value: UUID | str, otherwise: Exception) -> UUID:
    """The id in `value`. Raises `otherwise` when it cannot be one, as for an id that nothing has."""
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except ValueError:
        raise otherwise from None
