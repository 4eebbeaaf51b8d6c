"""Cancel the sending of an import: revoke invitations whose mail was not sent.

Their seats are freed, and their rows are ready to be sent again.
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

# Invitations revoked in one transaction; other writers get the organization's lock between chunks.
CHUNK_SIZE = 500
REASON = "sending was stopped"


def count_waiting(organization_id: UUID | str, sheet_id: UUID | str, *, by: Actor) -> int:
    """Count the invitations that `stop` would revoke. Raises ImportNotFound."""
    _, sheet = get(organization_id, sheet_id, by)
    return session().scalar(_waiting(sheet.id, func.count())) or 0


def stop(organization_id: UUID | str, sheet_id: UUID | str, *, by: Actor) -> int:
    """Revoke unsent invitations and return their number; mails being sent go out. Raises ImportNotFound."""
    _, sheet = get(organization_id, sheet_id, by)
    stopped, number = 0, -1
    while number:
        with organization_transaction(organization_id, by=by, needs="invitations:write") as principal:
            invitations.expire_overdue(principal.organization)
            waiting = list(session().scalars(_waiting(sheet.id, Invitation.id).limit(CHUNK_SIZE)))
            number = len(waiting)
            stopped += len(_revoke_unsent(principal, sheet.id, waiting))
    return stopped


def _waiting(sheet_id: UUID, column: Any) -> Select[Any]:
    """Select from the import's invitations whose mail is not being sent and whose link nobody has."""
    return (
        select(column)
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
    """Revoke invitations, except those claimed for delivery in the meantime; return the revoked ids."""
    delivery.lock_invitations(waiting)
    cancel = update(OutboxMessage).where(
        OutboxMessage.invitation_id.in_(waiting),
        IS_QUEUED,
        OutboxMessage.lease.is_(None),
    )
    cancelled = cancel.values(state=DeliveryState.FAILED, reason=REASON, next_attempt_at=now())
    returned = session().scalars(cancelled.returning(OutboxMessage.invitation_id))
    revoked = [invitation_id for invitation_id in returned if invitation_id]
    for invitation in session().scalars(invitations.complete().where(Invitation.id.in_(revoked))):
        invitations.revoke_invitation(principal, invitation)
    back = update(ImportRow).where(ImportRow.sheet_id == sheet_id, ImportRow.invitation_id.in_(revoked))
    session().execute(back.values(state=RowState.READY, invitation_id=None))
    return revoked
