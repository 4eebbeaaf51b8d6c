"""Expire, revoke and close pending invitations, and count them.

The caller of a function that writes holds the organization's lock.
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
    """Record overdue invitations as expired, which frees their seats and addresses."""
    moment = now()
    overdue = _pending(organization.id).where(Invitation.expires_at <= moment)
    _close_all(organization, overdue, InvitationState.EXPIRED, Invitation.expires_at)


def count_pending(organization: Organization) -> int:
    """Count pending invitations: the stored counter minus overdue ones."""
    return organization.pending_count - count_overdue(organization.id)


def count_overdue(organization_id: UUID) -> int:
    """Count invitations past their expiry that are not yet recorded as expired. Cached for the request."""
    overdue = select(func.count()).where(
        Invitation.organization_id == organization_id,
        IS_PENDING,
        Invitation.expires_at <= now(),
    )
    return cached_in_request(("overdue", organization_id), lambda: session().scalar(overdue) or 0)


def revoke_for_address(organization: Organization, address: str) -> None:
    """Revoke the pending invitation to an address, so that it cannot be used to join."""
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
    _close_all(organization, to_address, InvitationState.REVOKED, now())


def close(invitation: Invitation, organization: Organization, state: InvitationState) -> None:
    """Move a pending invitation to a final state. The caller has checked the state under the lock."""
    invitation.state = state
    invitation.closed_at = now()
    organization.pending_count -= 1


def _pending(organization_id: UUID) -> Update:
    return update(Invitation).where(Invitation.organization_id == organization_id, IS_PENDING)


def _close_all(
    organization: Organization, pending: Update, state: InvitationState, closed_at: datetime | Any
) -> None:
    result = session().execute(
        pending.values(state=state, closed_at=closed_at), execution_options={"synchronize_session": False}
    )
    if count := result.rowcount:  # type: ignore[attr-defined]  # an UPDATE's result has a row count
        organization.pending_count -= count
