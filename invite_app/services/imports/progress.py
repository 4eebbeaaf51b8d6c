"""Delivery progress of an import, its failed mails, and their retry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, select

from invite_app.access import Actor
from invite_app.db import session
from invite_app.models import IS_PENDING, DeliveryState, Import, ImportRow, Invitation, OutboxMessage
from invite_app.models.types import now
from invite_app.services import audit, delivery, held_mail, invitations

from .actions import get

MINUTE = timedelta(minutes=1)
# Failures shown at once.
SHOWN = 50


@dataclass(frozen=True)
class BatchProgress:
    """Number of mails by state. `recent` were sent within `since`: the last minute, or the time since the start."""

    sent: int
    queued: int
    held: int
    failed: int
    recent: int
    since: timedelta

    @property
    def total(self) -> int:
        return self.sent + self.queued + self.held + self.failed

    @property
    def is_done(self) -> bool:
        return not self.queued

    @property
    def per_minute(self) -> int:
        return round(self.recent * (MINUTE / self.since)) if self.since else 0

    @property
    def left(self) -> timedelta | None:
        """Return the estimated remaining time, or None without a current rate."""
        return MINUTE * self.queued / self.per_minute if self.queued and self.per_minute else None


def get_progress(organization_id: UUID | str, sheet_id: UUID | str, *, by: Actor) -> BatchProgress:
    """Return the delivery progress. Raises ImportNotFound."""
    _, sheet = get(organization_id, sheet_id, by)
    moment = now()
    is_recent = case((OutboxMessage.sent_at > moment - MINUTE, 1), else_=0)
    is_held = case(((OutboxMessage.state == DeliveryState.QUEUED) & held_mail.IS_HELD, 1), else_=0)
    sums = *_counts(DeliveryState), func.sum(is_held), func.sum(is_recent)
    query: Select[Any] = select(*sums, func.max(OutboxMessage.created_at))
    queued, sent, failed, held, recent, start = tuple(session().execute(_of(query, sheet)).one())
    return BatchProgress(
        sent=sent or 0,
        queued=(queued or 0) - (held or 0),
        held=held or 0,
        failed=failed or 0,
        recent=recent or 0,
        since=min(moment - start, MINUTE) if start else MINUTE,
    )


def list_failed(organization_id: UUID | str, sheet_id: UUID | str, *, by: Actor) -> Sequence[Invitation]:
    """Return the import's first invitations whose mail failed. Raises ImportNotFound."""
    _, sheet = get(organization_id, sheet_id, by)
    failed = (
        invitations.complete()
        .join(ImportRow, ImportRow.invitation_id == Invitation.id)
        .where(ImportRow.sheet_id == sheet.id, Invitation.message.has(OutboxMessage.state == DeliveryState.FAILED))
        .order_by(ImportRow.position)
    )
    return list(session().scalars(failed.limit(SHOWN)))


def retry_failed(organization_id: UUID | str, sheet_id: UUID | str, *, by: Actor) -> int:
    """Retry failed mails of pending invitations and return their number. Raises ImportNotFound."""
    principal, sheet = get(organization_id, sheet_id, by)
    failed = _of(select(OutboxMessage.id), sheet).where(OutboxMessage.state == DeliveryState.FAILED, IS_PENDING)
    return len(delivery.retry(list(session().scalars(failed)), by=audit.audit_actor(principal)))


def _of(query: Select[Any], sheet: Import) -> Select[Any]:
    """Restrict the query to messages of the import's invitations."""
    return (
        query.join(Invitation, Invitation.id == OutboxMessage.invitation_id)
        .join(ImportRow, ImportRow.invitation_id == Invitation.id)
        .where(ImportRow.sheet_id == sheet.id)
    )


def _counts(states: Iterable[DeliveryState]) -> list[ColumnElement[Any]]:
    return [func.sum(case((OutboxMessage.state == state, 1), else_=0)) for state in states]
