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
NEARLY_FULL = 0.9
ASKING = Filter((InvitationState.EXPIRED,), asks_again=True)
LOST_RIGHT = Filter((InvitationState.PENDING,), inviter_lost_right=True)
_EXAMPLES = 2


@dataclass(frozen=True)
class Attention:
    """The pages hold the first few of each kind, and the total. `seats_left` is None without a limit."""

    undelivered: cursors.Page[Invitation]
    asking: cursors.Page[Invitation]
    lost_right: cursors.Page[Invitation]
    ending_soon: cursors.Page[Invitation]
    pending: int
    seats_left: int | None
    is_nearly_full: bool


def of(organization_id: UUID | str, *, by: Actor) -> Attention:
    """What needs somebody, and what soon will."""
    standing = authorize(by, organization_id, "invitations:read")
    waiting, organization = pending(standing), standing.organization
    limit, in_use = organization.seat_limit, organization.members_count + waiting

    def first(only: Filter) -> cursors.Page[Invitation]:
        return invitation_lists.list_page(organization_id, by=by, only=only, limit=_EXAMPLES)

    return Attention(
        undelivered=first(UNDELIVERED),
        asking=first(ASKING),
        lost_right=first(LOST_RIGHT),
        ending_soon=first(ending_soon()),
        pending=waiting,
        seats_left=None if limit is None else max(limit - in_use, 0),
        is_nearly_full=limit is not None and in_use >= NEARLY_FULL * limit,
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
