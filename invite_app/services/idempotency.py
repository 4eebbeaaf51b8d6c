"""Answering a repeated request with its first answer, so that a client may safely try again.

The answer is written with the deed, in its transaction: after a crash there are both or neither. What is sent to the
client then replaces it; until that happened, the first request counts as still running.
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
IN_PROGRESS_TIMEOUT = timedelta(minutes=1)
"""How long a first request without a final answer counts as running; then it has surely died."""


@dataclass(frozen=True)
class KeyedRequest:
    """One request that named a key: who asks what, the key, and a hash of the body."""

    scope: str
    key: str
    body_hash: str


@dataclass(frozen=True)
class StoredResponse:
    status: int
    body: str


def find_response(request: KeyedRequest) -> StoredResponse | None:
    """The first answer to this request, if there was one.

    Raises IdempotencyKeyReused when the key came with another body, and StillRunning.
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
    """Write the answer with the deed, as part of the caller's transaction.

    Raises StillRunning when the same request was faster; then the deed must not be done a second time.
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
    """Write an answer down that had no deed to be written with. Raises StillRunning as `keep` does."""
    with transaction() as writing:
        store(request, answer)
        writing.execute(update(IdempotencyKey).where(*_is(request)).values(finished_at=now()))


def complete(request: KeyedRequest, answer: StoredResponse) -> None:
    """What the client is about to be told of the deed that the first answer was written with."""
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
