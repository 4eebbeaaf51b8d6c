"""A person with an account, and the sign-ins of that account."""

from datetime import datetime
from uuid import UUID

from flask_login import UserMixin
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .types import Base, UuidPrimaryKey, now


class User(UuidPrimaryKey, Base):
    __tablename__ = "users"

    email: Mapped[str] = mapped_column(String(254), unique=True)
    given_name: Mapped[str] = mapped_column(String(100))
    family_name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    is_verified: Mapped[bool] = mapped_column("is_proven", key="is_verified", default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


class Session(UserMixin, Base):
    """A sign-in. The signed cookie carries its id; deleting the row signs that browser out."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_seen_at: Mapped[datetime] = mapped_column(default=now)
    ip: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(300))

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class AccountLink(UuidPrimaryKey, Base):
    """A link that signs in, resets the password or proves an address (`email`), once, for a short while."""

    __tablename__ = "account_links"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(20))
    email: Mapped[str] = mapped_column(String(254), default="")
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)
