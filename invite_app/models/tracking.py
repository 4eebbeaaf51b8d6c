"""Delivery results and link visits of invitations, which the audit log does not record."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from .types import Base, EnumText, UuidPrimaryKey, now


class TrackingEvent(StrEnum):
    # The mail server accepted the message.
    TAKEN = "taken"
    # The mail server rejected the message permanently, or all attempts failed.
    NOT_DELIVERED = "not_delivered"
    # One attempt failed; there will be a retry.
    POSTPONED = "postponed"
    # An automated client, probably a mail scanner, fetched the link. Does not count as opened.
    CHECKED = "checked"
    # A person opened the page.
    OPENED = "opened"
    # A person opened the page while signed in to another account.
    WRONG_ACCOUNT = "wrong_account"
    # A person tried to accept while all seats were taken.
    NO_SEAT = "no_seat"
    # A person requested a new invitation.
    ASKED = "asked"


class InvitationEvent(UuidPrimaryKey, Base):
    """An entry of an invitation's timeline."""

    __tablename__ = "invitation_events"
    __table_args__ = (Index("ix_invitation_events_by_time", "invitation_id", "at"),)

    invitation_id: Mapped[UUID] = mapped_column(ForeignKey("invitations.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=now)
    kind: Mapped[str] = mapped_column(EnumText(20))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


# The condition for invitations that need attention, without expiry; `invitations.status` adds expiry.
NEEDS_ATTENTION = (
    "asked_at IS NOT NULL OR (ended_at IS NULL AND (inviter_lost_right OR role_id IS NULL OR domain_not_allowed"
    " OR no_seat_at IS NOT NULL OR undelivered_at IS NOT NULL"
    " OR (wrong_account_at IS NOT NULL AND opened_at IS NULL)))"
)


class TrackingColumns:
    """The last of each kind since the last sending, on the invitation itself, so that lists need not look further."""

    # When delivery failed permanently; reset when the message is queued again.
    undelivered_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    opened_count: Mapped[int] = mapped_column(default=0)
    wrong_account_at: Mapped[datetime | None]
    no_seat_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    request_message: Mapped[str] = mapped_column("asked_word", String(1000), key="request_message", default="")
    # True when the inviter may no longer grant the role; acceptance checks it again.
    inviter_lost_right: Mapped[bool] = mapped_column(default=False)
    # Whether the organization no longer allows the address's domain; acceptance checks it again.
    domain_not_allowed: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Computed by the database, so that it stays correct whichever writer changes its inputs (deleting a role
    # included), and indexed, so that lists can begin with these rows cheaply.
    needs_attention: Mapped[bool] = mapped_column("needs_you", Computed(NEEDS_ATTENTION), key="needs_attention")

    def reset_tracking(self) -> None:
        """Start anew, because the link is being sent again."""
        self.checked_at = self.opened_at = self.wrong_account_at = self.no_seat_at = self.asked_at = None
        self.undelivered_at = None
        self.opened_count, self.request_message = 0, ""
