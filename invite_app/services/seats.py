"""Seats: members and live pending invitations hold one each."""

from sqlalchemy import func, select

from invite_app.db import session
from invite_app.models import Invitation, InvitationState, Organization
from invite_app.models.base import now


def free(organization: Organization) -> int | None:
    """How many are left (none or less where the limit was lowered), or None without a limit.

    Invitations whose end has passed hold no seat, whether or not that was written down yet.
    """
    if organization.seat_limit is None:
        return None
    overdue = select(func.count()).where(
        Invitation.organization_id == organization.id,
        Invitation.state == InvitationState.PENDING,
        Invitation.expires_at <= now(),
    )
    pending = organization.pending_count - (session().scalar(overdue) or 0)
    return organization.seat_limit - organization.members_count - pending
