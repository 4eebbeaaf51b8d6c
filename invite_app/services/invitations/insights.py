"""Summarize invitations: what needs attention, statistics, and a preview of the mail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

from sqlalchemy import select

from invite_app.access import Actor, Principal, authorize
from invite_app.db import session
from invite_app.mail import messages
from invite_app.models import Invitation, InvitationState, Organization, Role, WeeklyStatistics, Workspace
from invite_app.models.types import now
from invite_app.services import roles, search, workspaces

from . import drafts, expiry, lists
from .drafts import Draft
from .filters import UNDELIVERED, Filter

ENDING_SOON = timedelta(days=2)
NEARLY_FULL = 0.9
REQUESTED = Filter((InvitationState.EXPIRED,), asks_again=True)
LOST_RIGHT = Filter((InvitationState.PENDING,), inviter_lost_right=True)
OUTSIDE_DOMAINS = Filter((InvitationState.PENDING,), domain_not_allowed=True)
_EXAMPLES = 2


WEEKS = 12
# The median is computed over this many of the latest accepted invitations.
SAMPLE = 200


@dataclass(frozen=True)
class Examples:
    """The newest invitations that match a filter, and the number of all matches."""

    items: Sequence[Invitation]
    total: int


NONE = Examples((), 0)


@dataclass(frozen=True)
class Attention:
    """Invitations that need attention, and the seats. `seats_left` is None without a limit."""

    undelivered: Examples
    asking: Examples
    lost_right: Examples
    ending_soon: Examples
    pending: int
    seats_left: int | None
    is_nearly_full: bool
    outside_domains: Examples = NONE


def summarize_attention(principal: Principal) -> Attention:
    """Return the invitations that need attention now or soon. Raises PermissionDenied."""
    principal.check_can("invitations:read")
    waiting, organization = pending(principal), principal.organization
    limit, in_use = organization.seat_limit, organization.members_count + waiting
    kinds = {"undelivered": UNDELIVERED, "asking": REQUESTED, "lost_right": LOST_RIGHT, "ending_soon": ending_soon()}
    if organization.allowed_domains:
        kinds["outside_domains"] = OUTSIDE_DOMAINS
    return Attention(
        **_some_of_each(principal, kinds),
        pending=waiting,
        seats_left=None if limit is None else max(limit - in_use, 0),
        is_nearly_full=limit is not None and in_use >= NEARLY_FULL * limit,
    )


def outside_domains(principal: Principal) -> Examples | None:
    """Return pending invitations at domains no longer allowed; None without permission to see them."""
    if not principal.can("invitations:read"):
        return None
    if not principal.organization.allowed_domains:
        return NONE
    return _some_of_each(principal, {"outside": OUTSIDE_DOMAINS})["outside"]


def ending_soon() -> Filter:
    return Filter((InvitationState.PENDING,), ends_before=now() + ENDING_SOON)


def count_needing_attention(principal: Principal) -> int:
    """Count the invitations that need attention; 0 without permission to see invitations."""
    if not principal.can("invitations:read"):
        return 0
    return lists.count(principal, Filter(needs_attention=True), at_most=search.COUNT_CAP)


def pending(principal: Principal) -> int:
    """Count pending invitations; 0 without permission to see invitations."""
    return expiry.count_pending(principal.organization) if principal.can("invitations:read") else 0


def _some_of_each(principal: Principal, kinds: Mapping[str, Filter]) -> dict[str, Examples]:
    totals = lists.count_each(principal, kinds, at_most=search.COUNT_CAP)
    there = {kind: only for kind, only in kinds.items() if totals[kind]}
    newest = lists.newest_each(principal, there, limit=_EXAMPLES) if there else {}
    return {kind: Examples(newest.get(kind, ()), totals[kind]) for kind in kinds}


@dataclass(frozen=True)
class Preview:
    """The effect and mail of a draft. `seat` is the number of the seat that it would take."""

    organization: Organization
    role: Role
    workspaces: list[Workspace]
    seat: int
    message: messages.MailMessage

    @property
    def is_full(self) -> bool:
        """Return whether the seat exceeds the limit."""
        limit = self.organization.seat_limit
        return limit is not None and self.seat > limit


def preview(organization_id: UUID | str, draft: Draft, *, by: Actor) -> Preview:
    """Return the effect and the mail of a draft, which may be incomplete.

    Raises RoleNotFound, WorkspaceNotFound and CannotGrantRole.
    """
    principal = authorize(by, organization_id, "invitations:write")
    organization = principal.organization
    role = roles.get(organization.id, draft.role)
    principal.check_can_grant(role)
    chosen = workspaces.get_many(organization.id, draft.workspace_ids)
    invitation = Invitation(
        organization_id=organization.id,
        email=draft.email.strip() or "name@example.com",
        given_name=(draft.given_name or "").strip(),
        family_name=(draft.family_name or "").strip(),
        note=draft.note.strip(),
        role_name=role.name,
        expires_at=now() + (draft.lifetime or organization.invitation_lifetime),
    )
    invitation.organization, invitation.workspaces = organization, chosen
    drafts.set_inviter(invitation, principal)
    seat = organization.members_count + pending(principal) + 1
    return Preview(organization, role, chosen, seat, messages.sample(invitation))


@dataclass(frozen=True)
class Week:
    start: datetime
    sent: int
    accepted: int


@dataclass(frozen=True)
class Statistics:
    """Statistics of several weeks. `accepted` counts invitations sent in these weeks, whenever they were accepted."""

    weeks: Sequence[Week]
    sent: int
    accepted: int
    median_time_to_accept: timedelta | None

    @property
    def acceptance_rate(self) -> float | None:
        """Return the rate from 0 to 1, or None if nothing was sent."""
        return self.accepted / self.sent if self.sent else None


def compute_statistics(principal: Principal) -> Statistics:
    """Return statistics of the last twelve weeks, including this one. Weeks start on Monday, 00:00 UTC.

    Raises PermissionDenied.
    """
    principal.check_can("invitations:read")
    here, starts = principal.organization.id, _week_starts(now())
    query = select(WeeklyStatistics).where(
        WeeklyStatistics.organization_id == here, WeeklyStatistics.week.between(starts[0].date(), starts[-1].date())
    )
    by_week = {row.week: row for row in session().scalars(query)}
    rows = [(start, by_week.get(start.date())) for start in starts]
    return Statistics(
        [Week(start, row.sent if row else 0, row.accepted if row else 0) for start, row in rows],
        sent=sum(row.sent for row in by_week.values()),
        accepted=sum(row.accepted_of_sent for row in by_week.values()),
        median_time_to_accept=_median(here),
    )


def _week_starts(moment: datetime) -> list[datetime]:
    today = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]


def _median(organization_id: UUID) -> timedelta | None:
    query = (
        select(Invitation.created_at, Invitation.closed_at)
        .where(
            Invitation.organization_id == organization_id,
            Invitation.state == InvitationState.ACCEPTED,
        )
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
        .limit(SAMPLE)
    )
    waits = [(ended - created).total_seconds() for created, ended in session().execute(query) if ended]
    return timedelta(seconds=median(waits)) if waits else None
