"""What in an organization waits for somebody who invites."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from invite_app.access import Standing
from invite_app.models import Invitation, InvitationState
from invite_app.models.base import now

from . import endings, invitation_lists, search
from .invitation_filters import UNDELIVERED, Filter

SOON = timedelta(days=2)
NEARLY_FULL = 0.9
ASKING = Filter((InvitationState.EXPIRED,), asks_again=True)
LOST_RIGHT = Filter((InvitationState.PENDING,), inviter_lost_right=True)
OUTSIDE_DOMAINS = Filter((InvitationState.PENDING,), domain_not_allowed=True)
_EXAMPLES = 2


@dataclass(frozen=True)
class Some:
    """The newest few of a kind, and how many there are of it."""

    items: Sequence[Invitation]
    total: int


NONE = Some((), 0)


@dataclass(frozen=True)
class Attention:
    """`seats_left` is None without a limit."""

    undelivered: Some
    asking: Some
    lost_right: Some
    ending_soon: Some
    pending: int
    seats_left: int | None
    is_nearly_full: bool
    outside_domains: Some = NONE


def of(standing: Standing) -> Attention:
    """What needs somebody, and what soon will. Raises PermissionMissing."""
    standing.check_may("invitations:read")
    waiting, organization = pending(standing), standing.organization
    limit, in_use = organization.seat_limit, organization.members_count + waiting
    kinds = {"undelivered": UNDELIVERED, "asking": ASKING, "lost_right": LOST_RIGHT, "ending_soon": ending_soon()}
    if organization.allowed_domains:
        kinds["outside_domains"] = OUTSIDE_DOMAINS
    return Attention(
        **_some_of_each(standing, kinds),
        pending=waiting,
        seats_left=None if limit is None else max(limit - in_use, 0),
        is_nearly_full=limit is not None and in_use >= NEARLY_FULL * limit,
    )


def outside_domains(standing: Standing) -> Some | None:
    """Return the pending invitations at domains that are no longer allowed; None where they may not be seen."""
    if not standing.may("invitations:read"):
        return None
    if not standing.organization.allowed_domains:
        return NONE
    return _some_of_each(standing, {"outside": OUTSIDE_DOMAINS})["outside"]


def ending_soon() -> Filter:
    return Filter((InvitationState.PENDING,), ends_before=now() + SOON)


def count(standing: Standing) -> int:
    """How many invitations need somebody; none for those who may not see invitations."""
    if not standing.may("invitations:read"):
        return 0
    return invitation_lists.count(standing, Filter(needs_you=True), at_most=search.CAP)


def pending(standing: Standing) -> int:
    """How many people are invited and not in yet; none for those who may not see invitations."""
    return endings.pending_now(standing.organization) if standing.may("invitations:read") else 0


def _some_of_each(standing: Standing, kinds: Mapping[str, Filter]) -> dict[str, Some]:
    totals = invitation_lists.count_each(standing, kinds, at_most=search.CAP)
    there = {kind: only for kind, only in kinds.items() if totals[kind]}
    newest = invitation_lists.newest_each(standing, there, limit=_EXAMPLES) if there else {}
    return {kind: Some(newest.get(kind, ()), totals[kind]) for kind in kinds}
