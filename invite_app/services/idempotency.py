"""Idempotency keys: a repeated request gets the first response, so that clients can safely retry.

The response is saved in the transaction of the change: after a crash there are both or neither. The final response
replaces it; until then the first request counts as running.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import IntegrityError

from invite_app.db import session, transaction
from invite_app.errors import IdempotencyKeyReused, RequestInProgress
from invite_app.models import IdempotencyKey
from invite_app.models.types import now

LIFETIME = timedelta(hours=24)
# After this time, a request without a final response counts as crashed.
IN_PROGRESS_TIMEOUT = timedelta(minutes=1)


@dataclass(frozen=True)
class KeyedRequest:
    """A request with an idempotency key: its scope, the key, and a hash of the body."""

    scope: str
    key: str
    body_hash: str


@dataclass(frozen=True)
class StoredResponse:
    status: int
    body: str


def find_response(request: KeyedRequest) -> StoredResponse | None:
    """The first answer to this request, if there was one.

    Raises IdempotencyKeyReused when the key came with another body, and RequestInProgress.
    """
    row = session().scalar(
        select(IdempotencyKey)
        .where(*_is(request), IdempotencyKey.created_at > now() - LIFETIME)
        .execution_options(populate_existing=True)
    )
    if row is None:
        return None
    if row.body_hash != request.body_hash:
        raise IdempotencyKeyReused(request.key)
    if row.finished_at is None and now() - row.created_at < IN_PROGRESS_TIMEOUT:
        raise RequestInProgress(request.key)
    return StoredResponse(row.status, row.answer)


def store(request: KeyedRequest, answer: StoredResponse) -> None:
    """Save the response in the caller's transaction.

    Raises RequestInProgress when the same request was faster; the caller must then roll back its change.
    """
    session().execute(delete(IdempotencyKey).where(*_is(request), IdempotencyKey.created_at <= now() - LIFETIME))
    session().add(
        IdempotencyKey(
            scope=request.scope,
            key=request.key,
            body_hash=request.body_hash,
            status=answer.status,
            answer=answer.body,
        )
    )
    try:
        session().flush()
    except IntegrityError:
        raise RequestInProgress(request.key) from None


def store_error(request: KeyedRequest, answer: StoredResponse) -> None:
    """Save the response of a request that changed nothing. Raises RequestInProgress like `store`."""
    with transaction() as writing:
        store(request, answer)
        writing.execute(update(IdempotencyKey).where(*_is(request)).values(finished_at=now()))


def complete(request: KeyedRequest, answer: StoredResponse) -> None:
    """Replace the saved response with the final one."""
    with transaction() as writing:
        writing.execute(
            update(IdempotencyKey)
            .where(*_is(request))
            .values(status=answer.status, answer=answer.body, finished_at=now())
        )


def delete_response(request: KeyedRequest) -> None:
    """Let the request be tried anew, since it failed for a reason that passes (5xx, 429)."""
    with transaction() as writing:
        writing.execute(delete(IdempotencyKey).where(*_is(request)))


def _is(request: KeyedRequest) -> tuple[ColumnElement[bool], ...]:
    return IdempotencyKey.scope == request.scope, IdempotencyKey.key == request.key
