"""The OpenAPI 3.1 document of all dialects, made of the same endpoints that answer requests."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from .dialect import Dialect, ErrorResponse
from .endpoint import Endpoint
from .request_parsing import RequestInvalid

Schema = dict[str, Any]
REFERENCE = "#/components/schemas/{model}"
VERSION = "1.0"
SAFE = ("GET", "HEAD")
KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body gives the first answer again, for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key of the organization."},
    "plainKey": {"type": "apiKey", "in": "header", "name": "Authorization"},
    "keyHeader": {"type": "apiKey", "in": "header", "name": "X-API-KEY"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "session",
        "description": "Of a signed-in person; unsafe requests also need X-Requested-With or an organization header.",
    },
}


def document(dialects: Sequence[Dialect], *, server: str) -> Schema:
    """The document for these dialects, as served at `server`."""
    writer = _Writer(dialects)
    paths: dict[str, Schema] = {}
    for dialect in dialects:
        for endpoint in dialect.endpoints:
            paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = writer.operation(dialect, endpoint)
    return _renamed(
        {
            "openapi": "3.1.0",
            "info": {"title": "invite_app", "version": VERSION, "description": __doc__},
            "servers": [{"url": server}],
            "paths": paths,
            "components": {"schemas": writer.definitions, "securitySchemes": SECURITY_SCHEMES},
        }
    )


class _Writer:
    """Writes operations; all their types are turned into schemas at once, so that equal names do not clash."""

    def __init__(self, dialects: Sequence[Dialect]) -> None:
        inputs = [item for dialect in dialects for item in _adapters(dialect)]
        self._schemas, shared = TypeAdapter.json_schemas(inputs, ref_template=REFERENCE)
        self.definitions: Schema = shared.get("$defs", {})

    def operation(self, dialect: Dialect, endpoint: Endpoint) -> Schema:
        written: Schema = {
            "tags": [dialect.name],
            "summary": endpoint.summary,
            "description": inspect.getdoc(endpoint.view) or "",
            "operationId": endpoint.operation_id,
            "parameters": [*self._parameters(dialect, endpoint)],
            "responses": {str(status): answer for status, answer in self._responses(dialect, endpoint)},
            "security": [] if endpoint.is_public else [{name: []} for name in dialect.description.security],
        }
        if "body" in endpoint.parameters:
            is_required = endpoint.parameters["body"].default is inspect.Parameter.empty
            content = {"application/json": {"schema": self._schema(dialect, endpoint, "body")}}
            written["requestBody"] = {"required": is_required, "content": content}
        return written

    def _parameters(self, dialect: Dialect, endpoint: Endpoint) -> Iterator[Schema]:
        for name in re.findall(r"{(\w+)}", endpoint.path):
            yield _path_parameter(endpoint, name)
        if "query" in endpoint.parameters:
            yield from self._query_parameters(dialect, endpoint)
        yield from map(dict, dialect.description.header_parameters)
        if endpoint.is_idempotent:
            yield KEY_HEADER

    def _query_parameters(self, dialect: Dialect, endpoint: Endpoint) -> Iterator[Schema]:
        schema = self._resolved(self._schema(dialect, endpoint, "query"))
        for name, value in schema["properties"].items():
            is_required = name in schema.get("required", ())
            described = {"description": value["description"]} if "description" in value else {}
            yield {"name": name, "in": "query", "required": is_required, "schema": value, **described}

    def _responses(self, dialect: Dialect, endpoint: Endpoint) -> Iterator[tuple[int, Schema]]:
        yield endpoint.status, self._success(dialect, endpoint)
        for status in _statuses(dialect, endpoint):
            model = dialect.description.errors.get(status, dialect.description.errors[None])
            schema = self._schemas[_key(dialect, model.__name__), "serialization"]
            answer: Schema = {
                "description": HTTPStatus(status).phrase,
                "content": {"application/json": {"schema": schema}},
            }
            if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
                answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
            yield status, answer

    def _success(self, dialect: Dialect, endpoint: Endpoint) -> Schema:
        answer: Schema = {"description": HTTPStatus(endpoint.status).phrase}
        if endpoint.status != HTTPStatus.NO_CONTENT:
            schema = {} if endpoint.has_open_response else self._schema(dialect, endpoint, "return")
            answer["content"] = {"application/json": {"schema": schema}}
        return answer

    def _schema(self, dialect: Dialect, endpoint: Endpoint, part: str) -> Schema:
        mode: JsonSchemaMode = "serialization" if part == "return" else "validation"
        return self._schemas[_key(dialect, endpoint.name, part), mode]

    def _resolved(self, schema: Schema) -> Schema:
        reference = schema.get("$ref", "")
        return self.definitions[reference.rpartition("/")[2]] if reference else schema


def _renamed(written: Schema) -> Schema:
    """Schemas of one name in several dialects are told apart by the dialect's name instead of their module's."""
    text = re.sub(r"invite_app__api__([a-z]+)__(?:[a-z_]+?__)?(?=[A-Z])", r"\1.", json.dumps(written))
    renamed: Schema = json.loads(text)
    return renamed


def _adapters(dialect: Dialect) -> Iterator[tuple[str, JsonSchemaMode, TypeAdapter[Any]]]:
    for endpoint in dialect.endpoints:
        for part, adapter in endpoint.adapters.items():
            mode: JsonSchemaMode = "serialization" if part == "return" else "validation"
            yield _key(dialect, endpoint.name, part), mode, adapter
    models: dict[str, type[BaseModel]] = {model.__name__: model for model in dialect.description.errors.values()}
    for name, model in models.items():
        yield _key(dialect, name), "serialization", TypeAdapter(model)


def _key(dialect: Dialect, *names: str) -> str:
    return " ".join((dialect.name, *names))


def _path_parameter(endpoint: Endpoint, name: str) -> Schema:
    annotation = endpoint.types.get(name, str)
    schema = {"title": name.replace("_", " ").title(), **TypeAdapter(annotation).json_schema(), "type": "string"}
    for unused in ("anyOf", "format"):  # whatever is no id is answered like an id that nothing has
        schema.pop(unused, None)
    described = {"description": schema["description"]} if "description" in schema else {}
    return {"name": name, "in": "path", "required": True, "schema": schema, **described}


def _statuses(dialect: Dialect, endpoint: Endpoint) -> Sequence[int]:
    """Return the error statuses of an operation. Unsafe operations list all of the dialect."""
    rows: Mapping[type[Exception], ErrorResponse] = {**dialect.errors, **endpoint.errors}
    found = {row.status for row in rows.values() if row.status}
    if endpoint.method in SAFE:
        found &= {400, 401, 403, 404, 422, 429, 503}
    if not {"body", "query"} & endpoint.parameters.keys() and endpoint.method in SAFE:
        found -= {rows[RequestInvalid].status}
    if "body" in endpoint.parameters:
        found |= {413, 415, *dialect.description.content_statuses}
    if not endpoint.is_public:
        found |= {*dialect.description.header_statuses}
    elif endpoint.method in SAFE:
        found -= {401}
    return sorted(status for status in found | {500} if status != endpoint.status)
