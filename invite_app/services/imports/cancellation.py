"""Stopping a list while its mails go out: what the mail server does not have yet is taken back.

An invitation whose mail was never sent is known to nobody, so it would only hold a seat: it is revoked, and its row
is ready to be sent again.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, select, update

from invite_app.access import Actor, Principal, organization_transaction
from invite_app.db import session
from invite_app.models import (
    IS_PENDING,
    IS_QUEUED,
    DeliveryState,
    ImportRow,
    Invitation,
    InvitationEvent,
    OutboxMessage,
    RowState,
    TrackingEvent,
)
from invite_app.models.types import now
from invite_app.services import delivery, invitations

from .actions import get

CHUNK_SIZE = 500
"""How many are taken back in one transaction, so that others get their turn in between."""
REASON = "sending was stopped"


def count_waiting(organization_id: UUID | str, sheet_id: UUID | str, *, by: Actor) -> int:
    """How many would be taken back now. Raises ImportNotFound."""
    _, sheet = get(organization_id, sheet_id, by)
    return session().scalar(_waiting(sheet.id, func.count())) or 0


def stop(organization_id: UUID | str, sheet_id: UUID | str, *, by: Actor) -> int:
    """Take back what waits; how many. What is being sent at this moment goes out. Raises ImportNotFound."""
    _, sheet = get(organization_id, sheet_id, by)
    stopped, number = 0, -1
    while number:
        with organization_transaction(organization_id, by=by, needs="invitations:write") as principal:
            invitations.expire_overdue(principal.organization)
            waiting = list(session().scalars(_waiting(sheet.id, Invitation.id).limit(CHUNK_SIZE)))
            number = len(waiting)
            stopped += len(_revoke_unsent(principal, sheet.id, waiting))
    return stopped


def _waiting(sheet_id: UUID, what: Any) -> Select[Any]:
    """Of the list's invitations those whose mail nobody is sending, and of which nobody has the link already."""
    return (
        select(what)
        .select_from(Invitation)
        .join(ImportRow, ImportRow.invitation_id == Invitation.id)
        .join(OutboxMessage, OutboxMessage.invitation_id == Invitation.id)
        .where(
            ImportRow.sheet_id == sheet_id,
            IS_PENDING,
            IS_QUEUED,
            OutboxMessage.lease.is_(None),
            Invitation.link_copied.is_(False),
            ~exists().where(
                InvitationEvent.invitation_id == Invitation.id, InvitationEvent.kind == TrackingEvent.TAKEN
            ),
        )
    )


def _revoke_unsent(principal: Principal, sheet_id: UUID, waiting: Sequence[UUID]) -> Sequence[UUID]:
    """Those that no delivery process has claimed meanwhile."""
    delivery.lock_invitations(waiting)
    cancel = update(OutboxMessage).where(
        OutboxMessage.invitation_id.in_(waiting),
        IS_QUEUED,
        OutboxMessage.lease.is_(None),
    )
    cancelled = cancel.values(state=DeliveryState.FAILED, reason=REASON, next_attempt_at=now())
    ours = [one for one in session().scalars(cancelled.returning(OutboxMessage.invitation_id)) if one]
    for invitation in session().scalars(invitations.complete().where(Invitation.id.in_(ours))):
        invitations.revoke_invitation(principal, invitation)
    back = update(ImportRow).where(ImportRow.sheet_id == sheet_id, ImportRow.invitation_id.in_(ours))
    session().execute(back.values(state=RowState.READY, invitation_id=None))
    return ours
