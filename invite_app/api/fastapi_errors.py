"""Error bodies in FastAPI's format: `detail` holds a sentence or a list of problems."""

from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import HTTPException

from invite_app.errors import IdempotencyKeyReused, InvalidValue

from .request_parsing import RequestInvalid, build_problem, problem_at

SIGN_IN = {"WWW-Authenticate": "Bearer"}


def sentence(error: Exception) -> Any:
    return {"detail": str(error)}


def http_name(error: HTTPException) -> Any:
    return {"detail": error.name}


def fixed_message(words: str) -> Callable[[Exception], Any]:
    """Build a body with the message of the published API instead of the error's own."""
    return lambda _: {"detail": words}


def malformed(error: RequestInvalid) -> Any:
    return {"detail": error.problems}


def field_error(*place: str | int) -> Callable[[Exception], Any]:
    """Build a body that reports the error as a problem at this location of the request body."""
    return lambda error: {"detail": [problem_at(("body", *place), str(error))]}


def own_field_error(error: InvalidValue) -> Any:
    return field_error(error.field)(error)


def at_header(error: IdempotencyKeyReused) -> Any:
    return {"detail": [build_problem(("header", "Idempotency-Key"), str(error), error.key)]}


not_found = fixed_message("Not Found")
