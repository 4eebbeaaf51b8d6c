"""What is known of an invitation's way to its invitee, beside the deeds in the audit log."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from .types import Base, EnumText, UuidPrimaryKey, now


class TrackingEvent(StrEnum):
    TAKEN = "taken"
    """The mail server took the message."""
    NOT_DELIVERED = "not_delivered"
    """The mail server refused it for good, or was tried in vain."""
    POSTPONED = "postponed"
    """One try failed; there will be another."""
    CHECKED = "checked"
    """Something fetched the link: probably a mail scanner. It does not count as opened."""
    OPENED = "opened"
    """A person had the page open."""
    WRONG_ACCOUNT = "wrong_account"
    """A person opened the page while signed in as somebody else."""
    NO_SEAT = "no_seat"
    """A person tried to accept while all seats were taken."""
    ASKED = "asked"
    """A person asked for a fresh invitation."""


class InvitationEvent(UuidPrimaryKey, Base):
    """One line of an invitation's timeline."""

    __tablename__ = "invitation_events"
    __table_args__ = (Index("ix_invitation_events_by_time", "invitation_id", "at"),)

    invitation_id: Mapped[UUID] = mapped_column(ForeignKey("invitations.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=now)
    kind: Mapped[str] = mapped_column(EnumText(20))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


NEEDS_ATTENTION = (
    "asked_at IS NOT NULL OR (ended_at IS NULL AND (inviter_lost_right OR role_id IS NULL OR domain_not_allowed"
    " OR no_seat_at IS NOT NULL OR undelivered_at IS NOT NULL"
    " OR (wrong_account_at IS NOT NULL AND opened_at IS NULL)))"
)
"""Whether an invitation waits for an admin, but for the clock; `invitations.status` says it with the clock."""


class TrackingColumns:
    """The last of each kind since the last sending, on the invitation itself, so that lists need not look further."""

    undelivered_at: Mapped[datetime | None]
    """When the mail was given up; empty again as soon as it is queued again."""
    checked_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    opened_count: Mapped[int] = mapped_column(default=0)
    wrong_account_at: Mapped[datetime | None]
    no_seat_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    request_message: Mapped[str] = mapped_column("asked_word", String(1000), key="request_message", default="")
    inviter_lost_right: Mapped[bool] = mapped_column(default=False)
    """Whether the inviter may no longer grant the role; acceptance checks it again."""
    # Whether the organization no longer allows the address's domain; acceptance checks it again.
    domain_not_allowed: Mapped[bool] = mapped_column(default=False, server_default=false())
    needs_attention: Mapped[bool] = mapped_column("needs_you", Computed(NEEDS_ATTENTION), key="needs_attention")
    """Computed by the database, so that it is right whoever changed what it rests on (a deleted role included), and
    part of an index, so that a list of a million rows begins with the few that need somebody, as cheaply as not."""

    def reset_tracking(self) -> None:
        """Start anew, because the link is being sent again."""
        self.checked_at = self.opened_at = self.wrong_account_at = self.no_seat_at = self.asked_at = None
        self.undelivered_at = None
        self.opened_count, self.request_message = 0, ""
