"""A person's place in an organization: one role, and any number of workspaces."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Index, Table, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .accounts import User
from .organizations import Organization, Workspace
from .roles import Role
from .types import Base, UuidPrimaryKey, casefolded, now, sortable_text

# The value for members without a visit: lists sort by this column, and cursors need a value that is not NULL.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


membership_workspaces = Table(
    "membership_workspaces",
    Base.metadata,
    Column("membership_id", Uuid, ForeignKey("memberships.id", ondelete="CASCADE"), primary_key=True),
    Column("workspace_id", Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Membership(UuidPrimaryKey, Base):
    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("organization_id", "user_id"),
        Index("ix_memberships_by_name", "organization_id", "sort_name", "id"),
        Index("ix_memberships_by_time", "organization_id", "created_at", "id"),
        Index("ix_memberships_by_visit", "organization_id", "last_seen_at", "id"),
        Index("ix_memberships_by_role", "organization_id", "role_id", "sort_name", "id"),
    )

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    role_id: Mapped[UUID] = mapped_column(ForeignKey("roles.id"), index=True)
    sort_name: Mapped[str] = mapped_column(sortable_text(300))
    invitation_id: Mapped[UUID | None]
    public_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    private_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    last_seen_at: Mapped[datetime] = mapped_column(default=NEVER)

    organization: Mapped[Organization] = relationship(lazy="raise")
    user: Mapped[User] = relationship(lazy="raise")
    role: Mapped[Role] = relationship(lazy="raise")
    workspaces: Mapped[list[Workspace]] = relationship(
        secondary=membership_workspaces, order_by=Workspace.folded_name, lazy="raise", passive_deletes=True
    )

    @property
    def last_active(self) -> datetime | None:
        """Return when the member last opened a page of the organization, or None."""
        return self.last_seen_at if self.last_seen_at != NEVER else None


def sort_name(user: User) -> str:
    """Return the sort key of a member: the name, then the address, ignoring case."""
    return casefolded(f"{user.name} {user.email}")[:300]
