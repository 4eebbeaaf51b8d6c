"""Roles and the permissions they are made of."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .types import Base, UuidPrimaryKey, now

PERMISSIONS = (
    "invitations:read",
    "invitations:write",
    "members:read",
    "members:write",
    "roles:write",
    "workspaces:write",
    "api_keys:write",
    "audit:read",
    "organization:write",
)

OWNER, ADMIN, MEMBER = "owner", "admin", "member"

BUILT_IN: dict[str, tuple[str, ...]] = {
    OWNER: PERMISSIONS,
    ADMIN: tuple(name for name in PERMISSIONS if name != "organization:write"),
    MEMBER: ("members:read",),
}


class Role(UuidPrimaryKey, Base):
    __tablename__ = "roles"
    __table_args__ = (
        UniqueConstraint("organization_id", "key"),
        UniqueConstraint("organization_id", "folded_name"),
    )

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(100))
    folded_name: Mapped[str] = mapped_column(String(300))
    permissions: Mapped[list[str]] = mapped_column(default=list)
    is_built_in: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    @property
    def is_owner(self) -> bool:
        return self.is_built_in and self.key == OWNER
