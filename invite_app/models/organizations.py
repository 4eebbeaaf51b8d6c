"""An organization, its workspaces, and the marker of a finished set-up."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Interval, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .types import Base, EnumText, UuidPrimaryKey, now

DEFAULT_LIFETIME = timedelta(days=7)


class Plan(StrEnum):
    FREE = "free"
    PAID = "paid"


class Organization(UuidPrimaryKey, Base):
    """`members_count` and `pending_count` are kept by the services, under the organization's lock."""

    __tablename__ = "organizations"
    __table_args__ = (CheckConstraint("plan IN ('free', 'paid')", name="plan"),)

    name: Mapped[str] = mapped_column(String(100))
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    plan: Mapped[str] = mapped_column(EnumText(10), default=Plan.PAID)
    seat_limit: Mapped[int | None]
    invitation_lifetime: Mapped[timedelta] = mapped_column(Interval(), default=DEFAULT_LIFETIME)
    allowed_domains: Mapped[list[str]] = mapped_column(default=list)
    allowed_origins: Mapped[list[str]] = mapped_column(default=list)
    members_count: Mapped[int] = mapped_column(default=0)
    pending_count: Mapped[int] = mapped_column(default=0)
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Workspace(UuidPrimaryKey, Base):
    __tablename__ = "workspaces"
    __table_args__ = (UniqueConstraint("organization_id", "folded_name"),)

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    folded_name: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(default=now)


class OwnershipOffer(Base):
    """An owner has offered to hand over; it takes effect when the other person confirms."""

    __tablename__ = "ownership_offers"

    organization_id: Mapped[UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    heir_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=now)


class SetupMarker(Base):
    """A single-row table: the request that inserts the row may create the first organization through `/setup`."""

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    completed_at: Mapped[datetime] = mapped_column(default=now)
