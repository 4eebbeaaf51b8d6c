"""Watching over the outbox: how much waits, what failed and why, and another try for it. For the operator."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from invite_app.db import session, transaction
from invite_app.models import DeliveryState, InvitationState, Organization, OutboxMessage
from invite_app.models.types import now
from invite_app.services import audit, held_mail

from . import heartbeat, outbox, outcomes

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DELAYED_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class OutboxStatus:
    """The state of the outbox. Due messages wait only for a worker; held ones belong to invitations that cannot be
    accepted.
    """

    queued: int
    held: int
    due: int
    oldest_due_seconds: int | None
    next_attempt_at: datetime | None
    sent_last_minute: int
    sent_last_hour: int
    sent_last_day: int
    failed_last_hour: int
    failed_last_day: int
    failed: int
    heartbeat_seconds: int | None


def outbox_status() -> OutboxStatus:
    """Read at this moment, over all organizations."""
    moment = now()
    next_attempt: datetime | None = session().scalar(
        select(func.min(OutboxMessage.next_attempt_at)).where(_is(DeliveryState.QUEUED), ~held_mail.IS_HELD)
    )
    is_due = next_attempt is not None and next_attempt <= moment
    counts = {name: func.count().filter(*conditions) for name, conditions in _counted(moment).items()}
    counted = session().execute(select(*counts.values()).select_from(OutboxMessage)).one()  # reads them all, but once
    age = heartbeat.read_heartbeat().age
    return OutboxStatus(
        oldest_due_seconds=int((moment - next_attempt).total_seconds()) if next_attempt and is_due else None,
        next_attempt_at=next_attempt,
        heartbeat_seconds=None if age is None else int(age.total_seconds()),
        **dict(zip(counts, counted, strict=True)),
    )


def _counted(moment: datetime) -> dict[str, tuple[Any, ...]]:
    queued, sent, failed = (_is(state) for state in (DeliveryState.QUEUED, DeliveryState.SENT, DeliveryState.FAILED))
    return {
        "queued": (queued, ~held_mail.IS_HELD),
        "held": (queued, held_mail.IS_HELD),
        "due": (queued, OutboxMessage.next_attempt_at <= moment),
        "sent_last_minute": (sent, OutboxMessage.sent_at > moment - MINUTE),
        "sent_last_hour": (sent, OutboxMessage.sent_at > moment - HOUR),
        "sent_last_day": (sent, OutboxMessage.sent_at > moment - DAY),
        "failed_last_hour": (failed, OutboxMessage.next_attempt_at > moment - HOUR),
        "failed_last_day": (failed, OutboxMessage.next_attempt_at > moment - DAY),
        "failed": (failed,),
    }


def is_delayed(organization: Organization) -> bool:
    """Check if a due message of this organization has waited for more than five minutes."""
    query = select(OutboxMessage.id).where(
        OutboxMessage.organization_id == organization.id,
        _is(DeliveryState.QUEUED),
        OutboxMessage.next_attempt_at < now() - DELAYED_AFTER,
    )
    return session().scalar(query.limit(1)) is not None


def list_failed(limit: int = 1000) -> list[OutboxMessage]:
    """Messages that were given up, the latest first, each with its invitation or user."""
    query = select(OutboxMessage).options(*_with_targets()).where(_is(DeliveryState.FAILED))
    latest_first = query.order_by(OutboxMessage.next_attempt_at.desc(), OutboxMessage.id.desc())
    return list(session().scalars(latest_first.limit(limit)))


def retry_all(*, by: audit.AuditActor) -> int:
    """Queue every failed message again that still has a purpose; how many there were."""
    ids = session().scalars(
        select(OutboxMessage.id)
        .join(OutboxMessage.invitation)
        .where(_is(DeliveryState.FAILED), OutboxMessage.invitation.has(state=InvitationState.PENDING))
    )
    return len(retry(list(ids), by=by))


def retry(message_ids: Iterable[UUID], *, by: audit.AuditActor) -> list[UUID]:
    """Queue these messages again; the ids of those that had failed. The others are left alone."""
    return [message_id for message_id in message_ids if _retry(message_id, by)]


def _retry(message_id: UUID, by: audit.AuditActor) -> bool:
    with transaction() as writing:
        of_message = select(OutboxMessage.invitation_id).where(OutboxMessage.id == message_id)
        outcomes.lock_invitations(filter(None, [writing.scalar(of_message)]))
        failed = select(OutboxMessage).where(OutboxMessage.id == message_id, _is(DeliveryState.FAILED))
        row = writing.scalar(failed.options(*_with_targets()).with_for_update(of=OutboxMessage))
        if row is None:
            return False
        outbox.requeue(row)
        if row.invitation is not None:
            row.invitation.undelivered_at = None
        target = row.invitation or row.user
        assert target is not None
        audit.record(row.organization_id, by, "message.retried", target)
    return True


def _with_targets() -> tuple[Any, ...]:
    return joinedload(OutboxMessage.invitation), joinedload(OutboxMessage.user)


def _is(state: DeliveryState) -> Any:
    return OutboxMessage.state == state
