"""How inviting goes: sent and accepted per week, how many accept, and how long that takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import InstrumentedAttribute

from invite_app.access import Actor, authorize
from invite_app.db import session
from invite_app.models import Invitation, InvitationState
from invite_app.models.base import now

WEEKS = 12
SAMPLE = 1000
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


def of_organization(organization_id: UUID | str, *, by: Actor) -> Statistics:
    """The last twelve weeks, the present one included; weeks begin on Monday, 00:00 UTC."""
    here = authorize(by, organization_id, "invitations:read").organization.id
    starts = _week_starts(now())
    sent = _per_week(here, Invitation.created_at, starts)
    accepted = _per_week(here, Invitation.ended_at, starts, Invitation.state == InvitationState.ACCEPTED)
    weeks = [Week(*values) for values in zip(starts, sent, accepted, strict=True)]
    since = (Invitation.organization_id == here, Invitation.created_at >= starts[0])
    accepted_of_sent = session().scalar(
        select(func.count()).where(*since, Invitation.state == InvitationState.ACCEPTED)
    )
    return Statistics(weeks, sum(sent), accepted_of_sent or 0, _median(here))


def _week_starts(moment: datetime) -> list[datetime]:
    today = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]


def _per_week(
    organization_id: UUID,
    column: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
    starts: Sequence[datetime],
    *conditions: ColumnElement[bool],
) -> list[int]:
    """How many have a time in each week, in one statement."""
    in_week = [(column >= start) & (column < start + timedelta(weeks=1)) for start in starts]
    sums = [func.coalesce(func.sum(case((week, 1), else_=0)), 0) for week in in_week]
    query = select(*sums).where(Invitation.organization_id == organization_id, column >= starts[0], *conditions)
    return [int(count) for count in session().execute(query).one()]


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
