"""Seats: members and live pending invitations hold one each."""

from invite_app.models import Organization

from . import endings


def free(organization: Organization) -> int | None:
    """How many are left (none or less where the limit was lowered), or None without a limit.

    Invitations whose end has passed hold no seat, whether or not that was written down yet.
    """
    if organization.seat_limit is None:
        return None
    return organization.seat_limit - organization.members_count - endings.pending_now(organization)
