"""Endpoints as data, with the types of their views read once from the annotations."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from . import request_parsing

View = Callable[..., Any]
MAX_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Endpoint:
    """One operation of a dialect.

    The view names what it wants: parts of the path, `organization_id`, `by` (the actor), `body` and `query`, whose
    types are read from the request, and `keep`, with which the answer is kept for a repetition of the request. What
    it returns is written as its annotation says.
    """

    method: str
    path: str
    view: View
    status: int = 200
    permission: str | None = None
    is_public: bool = False
    max_bytes: int = MAX_BYTES
    # The published document leaves the schema of the response open.
    has_open_response: bool = False
    # Take precedence over the error table of the dialect.
    errors: Mapping[type[Exception], Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.view.__name__

    @property
    def summary(self) -> str:
        return self.name.replace("_", " ").title()

    @property
    def operation_id(self) -> str:
        return re.sub(r"\W", "_", f"{self.name}{self.path}") + f"_{self.method.lower()}"

    @property
    def rule(self) -> str:
        """The path as Flask writes it."""
        return re.sub(r"{(\w+)}", r"<\1>", self.path)

    @cached_property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.view).parameters

    @property
    def is_in_organization(self) -> bool:
        """Return whether it acts in one organization, which the request has to name or imply."""
        return self.permission is not None or "organization_id" in self.parameters

    @property
    def is_idempotent(self) -> bool:
        """Return whether a repeated request with the same key gets the first response."""
        return "keep" in self.parameters

    @cached_property
    def types(self) -> dict[str, Any]:
        """The annotations of the view's parameters, and under `return` that of what it gives back."""
        return get_type_hints(self.view, include_extras=True)

    @cached_property
    def adapters(self) -> dict[str, TypeAdapter[Any]]:
        return {name: TypeAdapter(self.types[name]) for name in ("body", "query", "return") if name in self.types}

    def read(self) -> dict[str, Any]:
        """Return body and query of the current request. Raise RequestInvalid with the problems of both."""
        found: dict[str, Any] = {}
        errors: list[request_parsing.RequestInvalid] = []
        for name, reader in (("query", self._read_query), ("body", self._read_body)):
            if name in self.parameters:
                try:
                    found[name] = reader()
                except request_parsing.RequestInvalid as error:
                    errors.append(error)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise request_parsing.RequestInvalid([problem for error in errors for problem in error.problems])
        return found

    def call(self, **available: Any) -> bytes:
        """Call the view with these arguments and return its result as JSON."""
        return self.write(self.view(**{name: available[name] for name in self.parameters}))

    def write(self, given: Any) -> bytes:
        return self.adapters["return"].dump_json(given, by_alias=True)

    def _read_query(self) -> Any:
        return request_parsing.read_query(self.adapters["query"], self.types["query"])

    def _read_body(self) -> Any:
        default = self.parameters["body"].default
        return request_parsing.read_body(
            self.adapters["body"], ... if default is inspect.Parameter.empty else default
        )
