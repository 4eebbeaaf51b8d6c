"""Periodic maintenance: record expired invitations and delete old rows."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import CursorResult, delete, exists, inspect, select, tuple_

from invite_app.access import lock_organization
from invite_app.db import session, transaction
from invite_app.errors import OrganizationNotFound
from invite_app.models import (
    IS_PENDING,
    AccountLink,
    ApiKey,
    AuditEvent,
    DeliveryState,
    IdempotencyKey,
    Import,
    Invitation,
    Organization,
    OutboxMessage,
    Session,
)
from invite_app.models.types import now

from . import accounts, audit, held_mail, idempotency, imports, invitations, inviter_rights

# Rows per transaction, and transactions per model and run, so that other work, mail included, is not held up.
CHUNK, MOST_CHUNKS = 500, 20

# An expired key is looked at for this long, in case no maintenance ran at the time.
REVIEWED_FOR = timedelta(days=1)


@dataclass(frozen=True)
class RetentionRule:
    """The retention time of a model's rows, counted from the `since` column; `which` limits the rows to delete."""

    model: type[Any]
    since: Any
    lifetime: timedelta
    which: Any = True


# Models whose old rows are deleted. An invitation's message is kept as long as the invitation.
RETENTION = (
    RetentionRule(Session, Session.created_at, accounts.SESSION_LIFETIME),
    RetentionRule(AccountLink, AccountLink.expires_at, timedelta(days=30)),
    RetentionRule(
        OutboxMessage,
        OutboxMessage.created_at,
        timedelta(days=30),
        which=OutboxMessage.invitation_id.is_(None) & (OutboxMessage.state != DeliveryState.QUEUED),
    ),
    RetentionRule(IdempotencyKey, IdempotencyKey.created_at, idempotency.LIFETIME),
    RetentionRule(Import, Import.created_at, imports.LIFETIME),
)


def run() -> None:
    """Everything there is to sweep. In several processes at once, each does a part."""
    expire_overdue()
    release_held_mail()
    review_expired_keys()
    for kept in RETENTION:
        delete_old(kept)
    for is_over in audit.expired_conditions(now()):
        _delete_where(AuditEvent, is_over)


def expire_overdue() -> int:
    """Record which invitations have passed their end; in how many organizations there were any.

    Each organization has a transaction of its own, so that nobody waits for the others'.
    """
    overdue = exists().where(
        Invitation.organization_id == Organization.id,
        IS_PENDING,
        Invitation.expires_at <= now(),
    )
    organization_ids = list(session().scalars(select(Organization.id).where(overdue)))
    for organization_id in organization_ids:
        try:
            with transaction():
                invitations.expire_overdue(lock_organization(organization_id))
        except OrganizationNotFound:
            continue  # deleted meanwhile
    return len(organization_ids)


def release_held_mail() -> None:
    """Queue mail that is held for invitations that have ended, so that it is no longer counted as held."""
    if held_mail.has_ended():
        with transaction():
            held_mail.release_ended()


def review_expired_keys() -> int:
    """Mark the pending invitations of API keys that have just expired; return the number of those keys.

    Other changes of rights do so at once; expiry happens without a request.
    """
    moment = now()
    unmarked = exists().where(
        Invitation.organization_id == ApiKey.organization_id,
        Invitation.inviter_key_id == ApiKey.id,
        IS_PENDING,
        Invitation.inviter_lost_right.is_(False),
    )
    is_expired = ApiKey.expires_at.between(moment - REVIEWED_FOR, moment)
    expired = select(ApiKey.organization_id, ApiKey.user_id).where(is_expired, ApiKey.revoked_at.is_(None), unmarked)
    keys = session().execute(expired).all()
    for organization_id, user_id in keys:
        try:
            with transaction():
                inviter_rights.refresh(lock_organization(organization_id), user_id)
        except OrganizationNotFound:
            continue  # deleted meanwhile
    return len(keys)


def delete_old(kept: RetentionRule) -> int:
    """Delete what is too old, up to MOST_CHUNKS * CHUNK rows; how many."""
    return _delete_where(kept.model, (kept.since <= now() - kept.lifetime) & kept.which)


def _delete_where(model: type[Any], is_old: Any) -> int:
    if session().scalar(select(1).select_from(model).where(is_old).limit(1)) is None:
        return 0  # most of the time, and no reason to lock anybody out
    total = 0
    for _ in range(MOST_CHUNKS):
        count = _delete_chunk(model, is_old)
        total += count
        if count < CHUNK:
            break
    return total


def _delete_chunk(model: type[Any], is_old: Any) -> int:
    key = tuple_(*inspect(model).primary_key)
    some = select(*inspect(model).primary_key).where(is_old).limit(CHUNK).with_for_update(skip_locked=True)
    with transaction() as writing:
        gone: CursorResult[Any] = writing.execute(  # type: ignore[assignment]  # a DELETE's result has a row count
            delete(model).where(key.in_(some)), execution_options={"synchronize_session": False}
        )
    return gone.rowcount
