"""The `Idempotency-Key` header: a repeated request gets the response of the first one."""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Response, request

from invite_app.access import Actor, ApiKeyActor, UserActor
from invite_app.db import ignore
from invite_app.services import idempotency, rate_limits

from .endpoint import Endpoint
from .request_parsing import RequestInvalid, build_problem

HEADER = "Idempotency-Key"
MAX_LENGTH = 255
# Largest stored response, in bytes, of a request that changed nothing.
MAX_REFUSAL = 4 * 1024
# Used as `send(..., then=keep(shown))`: stores the response in the transaction of the operation.
StoreResponse = Callable[[Callable[[Any], Any]], Callable[[Any], None]]


def store_nothing(_: Callable[[Any], Any]) -> Callable[[Any], None]:
    return ignore


def check_rate(actor: Actor) -> None:
    """Count a response to be stored. Raise RateLimited when the actor has stored too many."""
    rate_limits.count("answers by actor", _id(actor))


def from_headers(actor: Actor, organization_id: UUID | str) -> idempotency.KeyedRequest | None:
    """Return the request with its key, or None without the header. Raise RequestInvalid for an unusable key."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_LENGTH or not key.isprintable():
        sentence = f"Use 1 to {MAX_LENGTH} printable characters."
        raise RequestInvalid([build_problem(("header", HEADER), sentence, key)])
    scope = f"{_id(actor)} {organization_id} {request.method} {request.full_path}"
    return idempotency.KeyedRequest(_hash(scope.encode()), key, _hash(request.get_data()))


class IdempotentRequest:
    """A request with an idempotency key that has no stored response yet."""

    def __init__(self, endpoint: Endpoint, asked: idempotency.KeyedRequest) -> None:
        self._endpoint, self._asked = endpoint, asked
        self._is_kept = False

    def keep(self, shown: Callable[[Any], Any]) -> Callable[[Any], None]:
        def then(made: Any) -> None:
            body = self._endpoint.write(shown(made)).decode()
            idempotency.store(self._asked, idempotency.StoredResponse(self._endpoint.status, body))
            self._is_kept = True

        return then

    def settle(self, response: Response) -> None:
        """Store the response, unless a retry could get a different one."""
        answer = idempotency.StoredResponse(response.status_code, response.get_data(as_text=True))
        passes = response.status_code == 429 or response.status_code >= 500 or self._is_too_large(response)
        if self._is_kept and passes:
            idempotency.delete_response(self._asked)
        elif self._is_kept:
            idempotency.complete(self._asked, answer)
        elif not passes:
            idempotency.store_error(self._asked, answer)

    def _is_too_large(self, response: Response) -> bool:
        """Return whether the response is too large to store; repeating such a request changes nothing."""
        has_done_nothing = not self._is_kept or response.status_code >= 400
        return has_done_nothing and len(response.get_data()) > MAX_REFUSAL


def _id(actor: Actor) -> str:
    match actor:
        case UserActor(user_id):
            return str(user_id)
        case ApiKeyActor(api_key_id):
            return str(api_key_id)
    raise TypeError("the operator sends no requests")


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
