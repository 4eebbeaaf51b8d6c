"""The timeline of an invitation: audit events and tracking events in one list."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from invite_app.access import Actor, authorize
from invite_app.db import rows, session
from invite_app.models import AuditEvent, InvitationEvent, TrackingEvent
from invite_app.models.types import fresh

PREFETCH_WINDOW = timedelta(seconds=30)
HUMAN_EVENTS = (TrackingEvent.OPENED, TrackingEvent.WRONG_ACCOUNT, TrackingEvent.NO_SEAT)


@dataclass(frozen=True)
class Entry:
    """An entry of the timeline. `kind` is an audit action (`invitation.sent`) or a TrackingEvent (`opened`)."""

    at: datetime
    kind: str
    actor: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NewEvent:
    """Something that was seen of an invitation on its way."""

    invitation_id: UUID
    kind: TrackingEvent
    detail: dict[str, Any]


def record_all(seen: Sequence[NewEvent]) -> None:
    """Write down what was seen of many invitations, as part of the caller's transaction."""
    rows.insert_all([fresh(InvitationEvent, **vars(one)) for one in seen])


def record(invitation_id: UUID, kind: TrackingEvent, **detail: Any) -> None:
    """Write down that something was seen, as part of the caller's transaction."""
    session().add(InvitationEvent(invitation_id=invitation_id, kind=kind, detail=detail))


def list_for_invitation(organization_id: UUID | str, invitation_id: UUID, *, by: Actor) -> Sequence[Entry]:
    """Everything known, newest first. Needs only the right to see invitations."""
    here = authorize(by, organization_id, "invitations:read").organization.id
    deeds = select(AuditEvent).where(AuditEvent.target_id == invitation_id, AuditEvent.organization_id == here)
    seen = select(InvitationEvent).where(InvitationEvent.invitation_id == invitation_id)
    entries = [_from_audit(event) for event in session().scalars(deeds)]
    if entries:  # an invitation without a deed is not one of this organization's
        entries += [Entry(event.at, event.kind, detail=event.detail) for event in session().scalars(seen)]
    return _without_own_fetches(sorted(entries, key=lambda entry: entry.at, reverse=True))


def _without_own_fetches(entries: Sequence[Entry]) -> list[Entry]:
    """A person's browser fetches the link before the person sees it; that is no machine's check."""
    seen = [entry.at for entry in entries if entry.kind in HUMAN_EVENTS]
    return [
        entry
        for entry in entries
        if entry.kind != TrackingEvent.CHECKED
        or not any(timedelta() <= at - entry.at < PREFETCH_WINDOW for at in seen)
    ]


def _from_audit(event: AuditEvent) -> Entry:
    changes = {"before": event.before, "after": event.after}
    return Entry(event.at, event.action, event.actor_name, {name: what for name, what in changes.items() if what})
