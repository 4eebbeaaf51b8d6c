"""The timeline of one invitation, and statistics of all invitations."""

from datetime import datetime
from typing import Any

from pydantic import Field

from invite_app.access import Actor, authorize
from invite_app.api.schema import Schema
from invite_app.services import invitations, timeline

from .dialect import deepset


class EntryShown(Schema):
    """One thing that happened, newest first: a deed like `invitation.sent`, or something seen like `opened`."""

    at: datetime
    kind: str
    actor: str
    detail: dict[str, Any]


class Story(Schema):
    entries: list[EntryShown]


class WeekShown(Schema):
    start: datetime
    sent: int
    accepted: int


class StatisticsShown(Schema):
    counts: dict[str, int] = Field(description="Invitations by state; `failed` are pending ones not delivered.")
    weeks: list[WeekShown]
    sent: int
    accepted: int
    median_seconds_to_accept: float | None


@deepset.endpoint(
    "GET", "/organization/{organization_id}/invitations/{invitation_id}/timeline", permission="invitations:read"
)
def get_invitation_timeline(organization_id: str, invitation_id: str, by: Actor) -> Story:
    """Everything that is known to have happened to an invitation."""
    invitation = invitations.get(organization_id, invitation_id, by=by)
    entries = timeline.list_for_invitation(organization_id, invitation.id, by=by)
    return Story(entries=[EntryShown(**vars(entry)) for entry in entries])


@deepset.endpoint("GET", "/organization/{organization_id}/statistics", permission="invitations:read")
def get_statistics(organization_id: str, by: Actor) -> StatisticsShown:
    """Count the invitations by state, and summarize the last twelve weeks."""
    found = invitations.compute_statistics(authorize(by, organization_id))
    median = found.median_time_to_accept
    return StatisticsShown(
        counts=invitations.counts(organization_id, by=by),
        weeks=[WeekShown(**vars(week)) for week in found.weeks],
        sent=found.sent,
        accepted=found.accepted,
        median_seconds_to_accept=median.total_seconds() if median else None,
    )
