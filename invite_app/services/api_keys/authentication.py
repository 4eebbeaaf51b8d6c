"""Recognize the API key of a request."""

import hashlib
import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import current_app
from sqlalchemy import bindparam, select, update

from invite_app import ids
from invite_app.access import Actor, ApiKeyActor, authorize, is_live
from invite_app.db import session, transaction
from invite_app.errors import ApiKeyNotFound, Unauthenticated
from invite_app.models import ApiKey
from invite_app.models.types import now

LAST_USE_STEP = timedelta(minutes=5)
CACHE_TIME = timedelta(minutes=1)
MOST_REMEMBERED = 10_000
PREFIX = "sk_"
_BY_HASH = select(ApiKey).where(ApiKey.secret_hash == bindparam("secret_hash"))


def find_organization_id(api_key_id: UUID | str) -> UUID:
    """Return the organization of a key, for CLI commands that take only the key id. Raises ApiKeyNotFound."""
    if (api_key := session().get(ApiKey, ids.parse_id(api_key_id, ApiKeyNotFound(str(api_key_id))))) is None:
        raise ApiKeyNotFound(str(api_key_id))
    return api_key.organization_id


def authenticate(secret: str, *, ip: str | None) -> ApiKeyActor:
    """The actor behind a key. Raises Unauthenticated when it is unknown, revoked or over."""
    actor = identify(secret, ip=ip)
    check_active(actor)
    return actor


def identify(secret: str, *, ip: str | None) -> ApiKeyActor:
    """The actor behind a key, for callers who authorize it (or `confirm` it) before they do anything.

    Whose a key is never changes, and is remembered for a minute; whether it still acts is read by `authorize`.
    Raises Unauthenticated when the key is unknown or was known to have ended.
    """
    secret_hash = hash_secret(secret)
    known = _known().get(secret_hash)
    if known is None or known.until < time.monotonic():
        known = _remember(secret_hash)
    return ApiKeyActor(known.api_key_id, known.organization_id, ip)


def check_active(actor: Actor) -> None:
    """Raises Unauthenticated when the actor is a key that does not act any more."""
    if isinstance(actor, ApiKeyActor):
        authorize(actor, actor.organization_id)


@dataclass(frozen=True)
class _CachedKey:
    api_key_id: UUID
    organization_id: UUID
    until: float


def _known() -> dict[str, _CachedKey]:
    found: dict[str, _CachedKey] = current_app.extensions.setdefault("invite_app.known_keys", {})
    return found


def _remember(secret_hash: str) -> _CachedKey:
    api_key = session().scalar(_BY_HASH, {"secret_hash": secret_hash})
    if api_key is None or not is_live(api_key):
        raise Unauthenticated
    _remember_use(api_key)
    known = _CachedKey(api_key.id, api_key.organization_id, time.monotonic() + CACHE_TIME.total_seconds())
    if len(_known()) >= MOST_REMEMBERED:
        _known().clear()
    _known()[secret_hash] = known
    return known


def _remember_use(api_key: ApiKey) -> None:
    moment = now()
    if api_key.last_used_at and moment - api_key.last_used_at < LAST_USE_STEP:
        return
    with transaction(is_idempotent=True) as writing:
        writing.execute(update(ApiKey).where(ApiKey.id == api_key.id).values(last_used_at=moment))


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
