"""What in an organization waits for somebody who invites."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from invite_app.access import Actor, Standing, authorize
from invite_app.models import Invitation, InvitationState
from invite_app.models.base import now

from . import cursors, invitation_lists
from .invitation_lists import UNDELIVERED, Filter

SOON = timedelta(days=2)
_EXAMPLES = 2


@dataclass(frozen=True)
class Attention:
    """The pages hold the first few of each kind, and the total. `seats_left` is None without a limit."""

    undelivered: cursors.Page[Invitation]
    ending_soon: cursors.Page[Invitation]
    pending: int
    seats_left: int | None


def of(organization_id: UUID | str, *, by: Actor) -> Attention:
    """What needs somebody, and what soon will."""
    standing = authorize(by, organization_id, "invitations:read")
    waiting, organization = pending(standing), standing.organization
    limit = organization.seat_limit
    return Attention(
        undelivered=invitation_lists.list_page(organization_id, by=by, only=UNDELIVERED, limit=_EXAMPLES),
        ending_soon=invitation_lists.list_page(organization_id, by=by, only=ending_soon(), limit=_EXAMPLES),
        pending=waiting,
        seats_left=None if limit is None else max(limit - organization.members_count - waiting, 0),
    )


def ending_soon() -> Filter:
    return Filter((InvitationState.PENDING,), ends_before=now() + SOON)


def count(standing: Standing) -> int:
    """How many invitations need somebody; none for those who may not see invitations."""
    return _count(standing, Filter(needs_you=True))


def pending(standing: Standing) -> int:
    """How many people are invited and not in yet; none for those who may not see invitations."""
    return _count(standing, Filter((InvitationState.PENDING,)))


def _count(standing: Standing, only: Filter) -> int:
    return invitation_lists.count(standing, only) if standing.may("invitations:read") else 0
