"""Weekly numbers of sent and accepted invitations."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from .types import Base


class WeeklyStatistics(Base):
    """Weekly totals, maintained by triggers on the invitations because counting them per request is slow.

    Weeks begin on Monday, 00:00 UTC. `accepted_of_sent` counts accepted invitations that were sent in the week.
    """

    __tablename__ = "weekly_figures"

    organization_id: Mapped[UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    week: Mapped[date] = mapped_column(primary_key=True)
    sent: Mapped[int]
    accepted: Mapped[int]
    accepted_of_sent: Mapped[int]
