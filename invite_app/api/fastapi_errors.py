"""Answers to what went wrong as FastAPI writes them: under `detail` a sentence, or the deviations of the request."""

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
    """What the published API says, whatever the fact knows beyond it."""
    return lambda _: {"detail": words}


def malformed(error: RequestInvalid) -> Any:
    return {"detail": error.problems}


def field_error(*place: str | int) -> Callable[[Exception], Any]:
    """A value that cannot be used, told like a deviation of the body at this place."""
    return lambda error: {"detail": [problem_at(("body", *place), str(error))]}


def own_field_error(error: InvalidValue) -> Any:
    return field_error(error.field)(error)


def at_header(error: IdempotencyKeyReused) -> Any:
    return {"detail": [build_problem(("header", "Idempotency-Key"), str(error), error.key)]}


not_found = fixed_message("Not Found")
