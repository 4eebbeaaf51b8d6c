"""How pending invitations end other than by their invitee: expiry, and ends that another deed brings with it.

Those that write are parts of a caller's transaction, which holds the organization's lock.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Update, func, select, update

from invite_app.db import cached_in_request, session
from invite_app.models import IS_PENDING, Invitation, InvitationState, Organization
from invite_app.models.types import now
from invite_app.services import audit


def expire_overdue(organization: Organization) -> None:
    """Write down which pending invitations have passed their end, so that they hold no seat and no address."""
    moment = now()
    overdue = _pending(organization.id).where(Invitation.expires_at <= moment)
    _end(organization, overdue, InvitationState.EXPIRED, Invitation.expires_at)


def count_pending(organization: Organization) -> int:
    """How many invitations are pending at this moment: the counter less those whose end passed unrecorded."""
    return organization.pending_count - count_overdue(organization.id)


def count_overdue(organization_id: UUID) -> int:
    """How many pending invitations have passed their end, which nobody has written down yet."""
    overdue = select(func.count()).where(
        Invitation.organization_id == organization_id,
        IS_PENDING,
        Invitation.expires_at <= now(),
    )
    return cached_in_request(("overdue", organization_id), lambda: session().scalar(overdue) or 0)


def revoke_for_address(organization: Organization, address: str) -> None:
    """End the pending invitation to an address, which must not bring anybody (back) in any more."""
    expire_overdue(organization)
    to_address = _pending(organization.id).where(Invitation.email == address)
    for invitation in session().scalars(
        select(Invitation).where(
            Invitation.organization_id == organization.id,
            Invitation.email == address,
            IS_PENDING,
        )
    ):
        audit.record(organization.id, audit.SERVER, "invitation.revoked", invitation)
    _end(organization, to_address, InvitationState.REVOKED, now())


def close(invitation: Invitation, organization: Organization, state: InvitationState) -> None:
    """Move one pending invitation, seen as pending under the lock, to a final state."""
    invitation.state = state
    invitation.closed_at = now()
    organization.pending_count -= 1


def _pending(organization_id: UUID) -> Update:
    return update(Invitation).where(Invitation.organization_id == organization_id, IS_PENDING)


def _end(organization: Organization, which: Update, state: InvitationState, closed_at: datetime | Any) -> None:
    ended = session().execute(
        which.values(state=state, closed_at=closed_at), execution_options={"synchronize_session": False}
    )
    if count := ended.rowcount:  # type: ignore[attr-defined]  # an UPDATE's result has a row count
        organization.pending_count -= count
