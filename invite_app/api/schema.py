"""What the shapes of bodies, queries and answers have in common."""

from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from invite_app.errors import TooManyRows

# Items of a list of ids, roles or the like.
MAX_ITEMS = 1_000
# Values of a query parameter that can be repeated.
MAX_VALUES = 100


class Schema(BaseModel):
    """A shape on the wire. What checks and writes it is built when it is first used.

    To build all hundred of them is a twentieth of the time to start, and a worker meets few of them.
    """

    model_config = ConfigDict(defer_build=True)


def at_most(limit: int) -> BeforeValidator:
    """Raise TooManyRows for a longer list, before any of its items is validated."""

    def check(value: Any) -> Any:
        if isinstance(value, list) and len(value) > limit:
            raise TooManyRows(len(value), limit)
        return value

    return BeforeValidator(check)
