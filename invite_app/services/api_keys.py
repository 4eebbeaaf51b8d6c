"""API keys: shown once, stored as a hash, as strong as the weaker of the key's role and its user's."""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import current_app
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import joinedload

from invite_app import ids
from invite_app.access import Actor, KeyActor, authorize, is_live, locked
from invite_app.db import noted, session, transaction
from invite_app.errors import ApiKeyUnknown, InvalidSetting, MembershipUnknown, Unauthenticated
from invite_app.models import ApiKey, Membership, Role
from invite_app.models.base import now
from invite_app.models.role import OWNER

from . import audit, inviter_rights, roles, validation

LAST_USE_STEP = timedelta(minutes=5)
REMEMBERED = timedelta(minutes=1)
MOST_REMEMBERED = 10_000
_PREFIX = "sk_"
_BY_HASH = select(ApiKey).where(ApiKey.secret_hash == bindparam("secret_hash"))


def create(
    organization_id: UUID | str,
    *,
    name: str,
    role: str,
    by: Actor,
    user_id: UUID | str | None = None,
    expires_at: datetime | None = None,
    then: Callable[[ApiKey], None] = noted,
) -> tuple[ApiKey, str]:
    """A new key and its secret, which cannot be had again. It acts for `user_id`, or for the first owner.

    `then` is called inside the transaction.

    Raises InvalidName, RoleUnknown, RoleAboveOwn, MembershipUnknown, MemberAboveOwn and InvalidSetting.
    """
    with locked(organization_id, by=by, needs="api_keys:write") as standing:
        cleaned = validation.name(name, "name", "a name")
        if expires_at is not None and expires_at <= now():
            raise InvalidSetting("expires_at", "Choose an end in the future.")
        granted = roles.get(standing.organization.id, role)
        standing.check_may_grant(granted)
        membership = _membership(standing.organization.id, user_id)
        standing.check_may_change(membership.user_id, membership.role)
        secret = _PREFIX + secrets.token_urlsafe(32)
        api_key = ApiKey(
            organization_id=standing.organization.id,
            user_id=membership.user_id,
            role_id=granted.id,
            name=cleaned,
            prefix=secret[:9],
            secret_hash=_hash(secret),
            expires_at=expires_at,
        )
        session().add(api_key)
        session().flush()
        audit.record(standing.organization.id, standing, "api_key.created", api_key, after={"role": granted.name})
        then(api_key)
    return api_key, secret


def list_all(organization_id: UUID | str, *, by: Actor) -> list[ApiKey]:
    """Keys with their user and role, newest first; revoked ones are left out."""
    standing = authorize(by, organization_id, "api_keys:write")
    query = (
        select(ApiKey)
        .options(joinedload(ApiKey.user), joinedload(ApiKey.role))
        .where(ApiKey.organization_id == standing.organization.id, ApiKey.revoked_at.is_(None))
        .order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
    )
    return list(session().scalars(query))


def revoke(organization_id: UUID | str, api_key_id: UUID | str, *, by: Actor) -> None:
    """The key never acts again. Raises ApiKeyUnknown and MemberAboveOwn."""
    with locked(organization_id, by=by, needs="api_keys:write") as standing:
        api_key = _get(standing.organization.id, api_key_id)
        standing.check_may_change(api_key.user_id, _membership(standing.organization.id, api_key.user_id).role)
        api_key.revoked_at = now()
        inviter_rights.review(standing.organization, api_key.user_id)
        audit.record(standing.organization.id, standing, "api_key.revoked", api_key)


def organization_of(api_key_id: UUID | str) -> UUID:
    """Where a key belongs; for the operator, who names keys without their organization."""
    if (api_key := session().get(ApiKey, ids.parse(api_key_id, ApiKeyUnknown(str(api_key_id))))) is None:
        raise ApiKeyUnknown(str(api_key_id))
    return api_key.organization_id


def authenticate(secret: str, *, ip: str | None) -> KeyActor:
    """The actor behind a key. Raises Unauthenticated when it is unknown, revoked or over."""
    actor = recognize(secret, ip=ip)
    confirm(actor)
    return actor


def recognize(secret: str, *, ip: str | None) -> KeyActor:
    """The actor behind a key, for callers who authorize it (or `confirm` it) before they do anything.

    Whose a key is never changes, and is remembered for a minute; whether it still acts is read by `authorize`.
    Raises Unauthenticated when the key is unknown or was known to have ended.
    """
    secret_hash = _hash(secret)
    known = _known().get(secret_hash)
    if known is None or known.until < time.monotonic():
        known = _remember(secret_hash)
    return KeyActor(known.api_key_id, known.organization_id, ip)


def confirm(actor: Actor) -> None:
    """Raises Unauthenticated when the actor is a key that does not act any more."""
    if isinstance(actor, KeyActor):
        authorize(actor, actor.organization_id)


@dataclass(frozen=True)
class _Known:
    api_key_id: UUID
    organization_id: UUID
    until: float


def _known() -> dict[str, _Known]:
    found: dict[str, _Known] = current_app.extensions.setdefault("invite_app.known_keys", {})
    return found


def _remember(secret_hash: str) -> _Known:
    api_key = session().scalar(_BY_HASH, {"secret_hash": secret_hash})
    if api_key is None or not is_live(api_key):
        raise Unauthenticated
    _remember_use(api_key)
    known = _Known(api_key.id, api_key.organization_id, time.monotonic() + REMEMBERED.total_seconds())
    if len(_known()) >= MOST_REMEMBERED:
        _known().clear()
    _known()[secret_hash] = known
    return known


def _remember_use(api_key: ApiKey) -> None:
    moment = now()
    if api_key.last_used_at and moment - api_key.last_used_at < LAST_USE_STEP:
        return
    with transaction(is_repeatable=True) as writing:
        writing.execute(update(ApiKey).where(ApiKey.id == api_key.id).values(last_used_at=moment))


def _membership(organization_id: UUID, user_id: UUID | str | None) -> Membership:
    query = (
        select(Membership)
        .join(Role, Role.id == Membership.role_id)
        .options(joinedload(Membership.role))
        .where(Membership.organization_id == organization_id)
        .order_by(Membership.created_at, Membership.id)
        .limit(1)
    )
    if user_id is not None:
        query = query.where(Membership.user_id == ids.parse(user_id, MembershipUnknown(str(user_id))))
    else:
        query = query.where(Role.is_built_in, Role.key == OWNER)
    if (membership := session().scalar(query)) is None:
        raise MembershipUnknown(str(user_id))
    return membership


def _get(organization_id: UUID, api_key_id: UUID | str) -> ApiKey:
    query = select(ApiKey).where(
        ApiKey.id == ids.parse(api_key_id, ApiKeyUnknown(str(api_key_id))),
        ApiKey.organization_id == organization_id,
        ApiKey.revoked_at.is_(None),
    )
    if (api_key := session().scalar(query)) is None:
        raise ApiKeyUnknown(str(api_key_id))
    return api_key


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
