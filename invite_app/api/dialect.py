"""Registration of endpoints and error responses, shared by all dialects."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, Response, current_app, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed
from werkzeug.routing import RequestRedirect

from invite_app.access import Actor, authorize
from invite_app.errors import (
    IdempotencyKeyReused,
    OrganizationNotFound,
    RateLimited,
    RequestInProgress,
    ServiceBusy,
    TooManyRows,
)
from invite_app.extensions import csrf
from invite_app.observability import metrics
from invite_app.services import idempotency
from invite_app.web import request_limits

from . import authentication, idempotency_key
from .dialect_docs import DialectDocs
from .endpoint import Endpoint, View
from .request_parsing import RequestInvalid


@dataclass(frozen=True)
class ErrorResponse:
    """The response of a dialect to one kind of error. A status of None means the error's own."""

    status: int | None
    body: Callable[[Any], Any]
    headers: Mapping[str, str] = field(default_factory=dict)


ErrorTable = Mapping[type[Exception], ErrorResponse]


class Dialect:
    """A published API: its paths, authentication and error responses.

    `errors` maps domain errors, RequestInvalid and werkzeug's HTTPException to responses, and is looked up along
    the class hierarchy. `not_an_id` is raised for an organization header that holds no id. `fallback_prefix` is the
    prefix below which this dialect answers unknown paths.
    """

    def __init__(
        self,
        name: str,
        *,
        prefix: str,
        authenticate: Callable[[], Actor],
        errors: ErrorTable,
        organization: Callable[[Actor, UUID | None], UUID] = authentication.own_organization,
        not_an_id: Callable[[], Exception] = OrganizationNotFound,
        fallback_prefix: str | None = None,
        description: DialectDocs,
    ) -> None:
        self.name, self.prefix, self.fallback_prefix = name, prefix, fallback_prefix
        self.description = description
        self.errors = errors
        self.endpoints: list[Endpoint] = []
        self._authenticate, self._organization = authenticate, organization
        self._not_an_id = not_an_id
        self._overrides: dict[str, ErrorTable] = {}
        self.blueprint = Blueprint(name, __name__)
        self.blueprint.register_error_handler(Exception, self.error_response)
        csrf.exempt(self.blueprint)

    def endpoint(self, method: str, path: str, **declared: Any) -> Callable[[View], View]:
        """Serve `method` and `path`, which is written as in OpenAPI, with the decorated view."""

        def add(view: View) -> View:
            endpoint = Endpoint(method, self.prefix + path, view, **declared)
            self.endpoints.append(endpoint)
            self._serve(endpoint)
            return view

        return add

    def _serve(self, endpoint: Endpoint) -> None:
        @wraps(endpoint.view)
        def serve(**path: str) -> Response:
            return self._answer(endpoint, path)

        self._overrides[f"{self.name}.{endpoint.name}"] = endpoint.errors
        self.blueprint.add_url_rule(
            endpoint.rule, endpoint.name, serve, methods=[endpoint.method], provide_automatic_options=False
        )

    def _answer(self, endpoint: Endpoint, path: Mapping[str, str]) -> Response:
        available: dict[str, Any] = dict(path)
        if not endpoint.is_public:
            available |= self._admit(endpoint, path)
        available |= _read(endpoint, available)
        asked = (
            idempotency_key.from_headers(available["by"], available["organization_id"])
            if endpoint.is_idempotent
            else None
        )
        if asked is not None:
            return self._answer_once(endpoint, available, asked)
        return respond(endpoint.status, endpoint.call(**available, keep=idempotency_key.store_nothing))

    def _admit(self, endpoint: Endpoint, path: Mapping[str, str]) -> dict[str, Any]:
        """Return the actor, and the organization where the operation is about one. Raise Unauthenticated."""
        actor = self._authenticate()
        in_headers = authentication.organization_in_headers(actor, self._not_an_id())
        if not endpoint.is_in_organization:
            authentication.confirm(actor, in_headers)
            return {"by": actor}
        return {"by": actor, "organization_id": self._addressed(actor, path.get("organization_id"), in_headers)}

    def _addressed(self, actor: Actor, in_path: str | None, in_headers: UUID | None) -> UUID | str:
        """Return the organization that the request is about. Raise OrganizationNotFound when it names two."""
        if in_path is None:
            return self._organization(actor, in_headers)
        authentication.check_path(in_path, in_headers)
        return in_path

    def _answer_once(
        self, endpoint: Endpoint, available: Mapping[str, Any], asked: idempotency.KeyedRequest
    ) -> Response:
        """Return the stored response to this request, or handle the request and store its response."""
        if first := _stored_response(endpoint, available, asked):
            return respond(first.status, first.body.encode(), {"Idempotent-Replayed": "true"})
        idempotency_key.check_rate(available["by"])
        once = idempotency_key.IdempotentRequest(endpoint, asked)
        try:
            response = respond(endpoint.status, endpoint.call(**available, keep=once.keep))
        except (RequestInProgress, SQLAlchemyError):  # the latter are repeated or answered by the application
            raise
        except Exception as error:  # noqa: BLE001 - its answer tells whether it is kept
            response = self.error_response(error)
        once.settle(response)
        return response

    def error_response(self, error: Exception) -> Response:
        """Return the response to an error, and log the error when the dialect has none for it."""
        if isinstance(error, RequestRedirect):
            return error.get_response()  # type: ignore[return-value]
        metrics.record_error(error)
        row = self.response_for(error)
        if row is None:
            current_app.log_exception(sys.exc_info())
            return self.error_response(InternalServerError())
        headers = dict(row.headers)
        if isinstance(error, RateLimited | ServiceBusy):
            headers["Retry-After"] = str(error.retry_after)
        if isinstance(error, HTTPException):
            headers |= {name: value for name, value in error.get_headers() if name != "Content-Type"}
        status = row.status or getattr(error, "code", None) or 500
        authentication.note_refusal(status)
        return respond(status, written(row.body(error)), headers)

    def response_for(self, error: Exception) -> ErrorResponse | None:
        """Return the response for the closest class of the error; the operation's table goes before the dialect's."""
        tables = (self._overrides.get(request.endpoint or "", {}), self.errors)
        kinds = type(error).__mro__
        return next((table[kind] for kind in kinds for table in tables if kind in table), None)


def _stored_response(
    endpoint: Endpoint, available: Mapping[str, Any], asked: idempotency.KeyedRequest
) -> idempotency.StoredResponse | None:
    """Return the stored response, if any. Only actors with the permission learn that there is one."""
    try:
        first = idempotency.find_response(asked)
    except (IdempotencyKeyReused, RequestInProgress):
        authorize(available["by"], available["organization_id"], endpoint.permission)
        raise
    if first is not None:
        authorize(available["by"], available["organization_id"], endpoint.permission)
    return first


def _read(endpoint: Endpoint, available: Mapping[str, Any]) -> dict[str, Any]:
    """Return body and query of the request. Only actors with the permission see validation errors.

    The permission is checked before a large body is read. For a small body the service checks it, in the same round
    trip as the operation.
    """
    has_place = {"by", "organization_id"} <= available.keys()
    if has_place and not request_limits.has_small_body():
        authorize(available["by"], available["organization_id"], endpoint.permission)
        request_limits.allow(size=endpoint.max_bytes)
    try:
        return endpoint.read()
    except (RequestInvalid, TooManyRows):
        if has_place:
            authorize(available["by"], available["organization_id"], endpoint.permission)
        raise


def written(value: Any) -> bytes:
    """Serialize to JSON the way FastAPI does."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def respond(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    response = Response(body if status != 204 else b"", status, headers, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    if status == 204:
        del response.headers["Content-Type"]
    return response


def register(app: Flask, dialects: Sequence[Dialect]) -> None:
    """Add the dialects to the application.

    A path that is served for other methods only is answered by the dialect that serves it, a path that nobody serves
    by the one with the closest `fallback_prefix`.
    """
    for dialect in dialects:
        app.register_blueprint(dialect.blueprint)
    by_name = {dialect.name: dialect for dialect in dialects}
    claims = {dialect.fallback_prefix: dialect for dialect in dialects if dialect.fallback_prefix}
    by_length = sorted(claims.items(), key=lambda claim: len(claim[0]), reverse=True)

    @app.before_request
    def answer_unrouted() -> Response | None:
        error = request.routing_exception
        if error is None:
            return None
        path = request.path + "/"
        claimant = next((dialect for prefix, dialect in by_length if path.startswith(prefix + "/")), None)
        found = by_name.get(_server_of_other_methods(error)) or claimant
        return found.error_response(error) if found else None


def _server_of_other_methods(error: Exception) -> str:
    """The name of the blueprint that serves the present path, when only the method is wrong."""
    if not isinstance(error, MethodNotAllowed) or not error.valid_methods:
        return ""
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None
    endpoint, _ = adapter.match(method=next(iter(error.valid_methods)))
    return str(endpoint).partition(".")[0]
