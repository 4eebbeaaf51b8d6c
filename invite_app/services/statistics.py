"""How inviting goes: sent and accepted per week, how many accept, and how long that takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

from sqlalchemy import select

from invite_app.access import Standing
from invite_app.db import session
from invite_app.models import Invitation, InvitationState, WeeklyFigures
from invite_app.models.base import now

WEEKS = 12
SAMPLE = 200
"""The median is taken over so many of the latest acceptances."""


@dataclass(frozen=True)
class Week:
    start: datetime
    sent: int
    accepted: int


@dataclass(frozen=True)
class Statistics:
    """`accepted` counts those of the `sent` that were accepted since, not what was accepted in these weeks."""

    weeks: Sequence[Week]
    sent: int
    accepted: int
    median_time_to_accept: timedelta | None

    @property
    def acceptance_rate(self) -> float | None:
        """From 0 to 1, or None while nothing was sent."""
        return self.accepted / self.sent if self.sent else None


def of(standing: Standing) -> Statistics:
    """The last twelve weeks, the present one included; weeks begin on Monday, 00:00 UTC. Raises PermissionMissing."""
    standing.check_may("invitations:read")
    here, starts = standing.organization.id, _week_starts(now())
    query = select(WeeklyFigures).where(
        WeeklyFigures.organization_id == here, WeeklyFigures.week.between(starts[0].date(), starts[-1].date())
    )
    kept = {row.week: row for row in session().scalars(query)}
    found = [(start, kept.get(start.date())) for start in starts]
    return Statistics(
        [Week(start, row.sent if row else 0, row.accepted if row else 0) for start, row in found],
        sent=sum(row.sent for row in kept.values()),
        accepted=sum(row.accepted_of_sent for row in kept.values()),
        median_time_to_accept=_median(here),
    )


def _week_starts(moment: datetime) -> list[datetime]:
    today = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]


def _median(organization_id: UUID) -> timedelta | None:
    query = (
        select(Invitation.created_at, Invitation.ended_at)
        .where(
            Invitation.organization_id == organization_id,
            Invitation.state == InvitationState.ACCEPTED,
        )
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
        .limit(SAMPLE)
    )
    waits = [(ended - created).total_seconds() for created, ended in session().execute(query) if ended]
    return timedelta(seconds=median(waits)) if waits else None
