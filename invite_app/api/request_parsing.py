"""Parsing and validation of requests, with problems reported the way FastAPI reports them."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from typing import Any, NoReturn, get_origin

from flask import g, request
from pydantic import BaseModel, TypeAdapter, ValidationError

from .excerpts import excerpt

MAX_DEPTH = 64
# Problems in one response.
MAX_PROBLEMS = 100
# A number that may be too large for a float: with a long exponent, or of so many digits.
_LARGE_FLOAT = re.compile(r"[eE]\+?\d{3}|\d{309}")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
Location = tuple[str | int, ...]
# One validation error: `type`, `loc`, `msg`, `input` and sometimes `ctx`, in this order.
Problem = dict[str, Any]


class RequestInvalid(Exception):
    """The request does not match the schema of its endpoint; `problems` holds up to MAX_PROBLEMS of them."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems[:MAX_PROBLEMS]
        super().__init__(self.problems)


class NotJson(RequestInvalid):
    """The body is not JSON, although its content type is."""


class WrongContentType(RequestInvalid):
    """The content type of the body is not JSON."""


def is_json() -> bool:
    """Return whether the content type of the request is JSON."""
    header = Message()
    header["content-type"] = request.headers.get("Content-Type", "")
    subtype = header.get_content_subtype()
    return header.get_content_maintype() == "application" and (subtype == "json" or subtype.endswith("+json"))


def read_body(adapter: TypeAdapter[Any], default: Any = ...) -> Any:
    """Return the body as the declared type, or the default without a body. Raise RequestInvalid."""
    if not request.get_data():
        if default is ...:
            raise RequestInvalid([{"type": "missing", "loc": ["body"], "msg": "Field required", "input": None}])
        return default
    try:
        return validate(adapter, parsed_body(), "body")
    except RequestInvalid as error:
        raise error if is_json() else WrongContentType(error.problems) from None


def parsed_body() -> Any:
    """Return the parsed JSON body, or its text for any other content type. Raise RequestInvalid."""
    if "given" not in g:
        data = request.get_data()
        g.given = _parse(data) if is_json() else data.decode("utf-8", "replace")
    return g.given


def read_query(adapter: TypeAdapter[Any], model: type[BaseModel]) -> Any:
    """Return the query string as the declared model. Raise RequestInvalid.

    The last value of a repeated parameter counts, unless the parameter is a list.
    """
    given = {
        name: values if get_origin(model.model_fields[name].annotation) is list else values[-1]
        for name, values in request.args.lists()
        if name in model.model_fields
    }
    return validate(adapter, given, "query")


@contextmanager
def with_body(part: Any) -> Iterator[None]:
    """Report problems of a part of the body as if it were the whole body."""
    whole, g.given = g.get("given"), part
    yield
    g.given = whole


def problem_at(loc: Location, sentence: str) -> Problem:
    """Return the problem of a body value that is valid by the schema but cannot be used."""
    return build_problem(loc, sentence, _given_at(loc))


def build_problem(loc: Location, sentence: str, value: Any) -> Problem:
    return {"type": "value_error", "loc": list(loc), "msg": sentence, "input": excerpt(value)}


def _given_at(loc: Location) -> Any:
    """Return the body value at this location, or None."""
    value = g.get("given")
    for step in loc[1:]:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _parse(data: bytes) -> Any:
    try:
        text = data.decode(json.detect_encoding(data))
        parse_float = _finite if _LARGE_FLOAT.search(text) else None
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=parse_float)
    except json.JSONDecodeError as error:
        raise _not_json(error.pos, error.msg) from None
    except UnicodeDecodeError as error:
        raise _not_json(error.start, "Text is not valid UTF-8") from None
    except RecursionError:
        raise _not_json(0, "Nested too deeply") from None
    except ValueError as error:
        raise _not_json(0, str(error)) from None
    if _is_deep(value):
        raise _not_json(0, "Nested too deeply")
    if (escape := _SURROGATE.search(text)) and not _is_encodable(value):
        raise _not_json(escape.start(), "Half of a surrogate pair")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError("Number is too large")
    return number


def _is_deep(value: Any) -> bool:
    """Return whether the value is nested so deeply that serializing it could fail."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _is_encodable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _children(item: Any) -> Any:
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list) else ()


def _not_json(position: int, reason: str) -> NotJson:
    problem = {
        "type": "json_invalid",
        "loc": ["body", position],
        "msg": "JSON decode error",
        "input": {},
        "ctx": {"error": reason},
    }
    return NotJson([problem])


def validate(adapter: TypeAdapter[Any], given: Any, source: str) -> Any:
    try:
        return adapter.validate_python(given, from_attributes=True)
    except ValidationError as error:
        found = error.errors(include_url=False)[:MAX_PROBLEMS]
    raise RequestInvalid([_shortened({**problem, "loc": [source, *problem["loc"]]}) for problem in found])


def _shortened(problem: Any) -> Problem:
    """Return the problem with every value that the client sent cut to an excerpt."""
    return {**problem, "loc": [excerpt(step) for step in problem["loc"]], "input": excerpt(problem["input"])}
