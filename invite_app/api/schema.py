"""The base class and limits of request and response schemas."""

from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from invite_app.errors import TooManyRows

# Items of a list of ids, roles or the like.
MAX_ITEMS = 1_000
# Values of a query parameter that can be repeated.
MAX_VALUES = 100


class Schema(BaseModel):
    """Base of request and response schemas; validators are built on first use, which shortens the start."""

    model_config = ConfigDict(defer_build=True)


def at_most(limit: int) -> BeforeValidator:
    """Raise TooManyRows for a longer list, before any of its items is validated."""

    def check(value: Any) -> Any:
        if isinstance(value, list) and len(value) > limit:
            raise TooManyRows(len(value), limit)
        return value

    return BeforeValidator(check)
