"""An invitation, the message that carries it, and the states of both."""

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    Uuid,
    literal_column,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .accounts import AccountLink, User
from .engines import partial_index
from .organizations import Organization, Workspace
from .roles import Role
from .tracking import TrackingColumns
from .types import Base, EnumText, UuidPrimaryKey, now


class InvitationState(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"
    EXPIRED = "expired"


class DeliveryState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


invitation_workspaces = Table(
    "invitation_workspaces",
    Base.metadata,
    Column("invitation_id", Uuid, ForeignKey("invitations.id", ondelete="CASCADE"), primary_key=True),
    Column("workspace_id", Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Invitation(TrackingColumns, UuidPrimaryKey, Base):
    """`role_name` outlives the role, so that the pages can say which one is gone."""

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint(
            "state IN ('pending', 'accepted', 'declined', 'revoked', 'expired')",
            name="state",
        ),
        partial_index("uq_invitations_pending", "organization_id", "email", where="state = 'pending'", unique=True),
        Index("ix_invitations_by_need", "organization_id", "state", "needs_attention", "created_at", "id"),
        Index("ix_invitations_by_end", "organization_id", "state", "expires_at", "id"),
        Index("ix_invitations_by_state", "organization_id", "state", "created_at", "id"),
        Index("ix_invitations_by_time", "organization_id", "created_at", "id"),
        Index("ix_invitations_by_email", "organization_id", "email"),
        partial_index("ix_invitations_batch_id", "batch_id", where="batch_id IS NOT NULL"),
    )

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(254))
    given_name: Mapped[str] = mapped_column(String(100), default="")
    family_name: Mapped[str] = mapped_column(String(100), default="")
    role_id: Mapped[UUID | None] = mapped_column(ForeignKey("roles.id", ondelete="SET NULL"), index=True)
    role_name: Mapped[str] = mapped_column(String(100))
    note: Mapped[str] = mapped_column(String(1000), default="")
    inviter_kind: Mapped[str] = mapped_column(String(10))
    inviter_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    inviter_key_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id", ondelete="SET NULL"))
    inviter_name: Mapped[str] = mapped_column(String(201))
    batch_id: Mapped[UUID | None] = mapped_column(ForeignKey("batches.id", ondelete="SET NULL"))
    redirect_uri: Mapped[str | None] = mapped_column(String(2000))
    app_url: Mapped[str | None] = mapped_column(String(2000))
    public_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    private_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(EnumText(10), default=InvitationState.PENDING)
    nonce: Mapped[bytes] = mapped_column(LargeBinary(16), default=lambda: secrets.token_bytes(16))
    link_copied: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None] = mapped_column("ended_at", key="closed_at")
    decline_message: Mapped[str] = mapped_column("decline_word", String(1000), key="decline_message", default="")
    accepted_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    organization: Mapped[Organization] = relationship(lazy="raise")
    role: Mapped[Role | None] = relationship(lazy="raise")
    inviter: Mapped[User | None] = relationship(lazy="raise", foreign_keys=[inviter_id])
    workspaces: Mapped[list[Workspace]] = relationship(
        secondary=invitation_workspaces, order_by=Workspace.folded_name, lazy="raise", passive_deletes=True
    )
    message: Mapped["OutboxMessage | None"] = relationship(
        back_populates="invitation",
        lazy="raise",
        uselist=False,
        passive_deletes=True,
        foreign_keys="OutboxMessage.invitation_id",
    )

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    def state_at(self, moment: datetime) -> InvitationState:
        """The state as it is at `moment`: a pending one is over as soon as the clock passes its end."""
        if self.state == InvitationState.PENDING and self.expires_at <= moment:
            return InvitationState.EXPIRED
        return InvitationState(self.state)


class OutboxMessage(UuidPrimaryKey, Base):
    """A message to send. It holds ids only: the text is rendered when it is sent or displayed.

    An invitation has one row for its whole life; `sends` counts how often it was queued. Notifications to members
    have rows of their own, with the invitation as `about`.
    """

    __tablename__ = "outbox_messages"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'sent', 'failed')", name="state"),
        partial_index("ix_outbox_messages_due", "next_attempt_at", where="state = 'queued'"),
        Index("ix_outbox_messages_by_time", "organization_id", "created_at", "id"),
        partial_index("ix_outbox_messages_user_id", "user_id", where="user_id IS NOT NULL"),
        partial_index("ix_outbox_messages_about_id", "about_id", where="about_id IS NOT NULL"),
    )

    kind: Mapped[str] = mapped_column(String(30))
    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    invitation_id: Mapped[UUID | None] = mapped_column(ForeignKey("invitations.id", ondelete="CASCADE"), unique=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    about_id: Mapped[UUID | None] = mapped_column(ForeignKey("invitations.id", ondelete="CASCADE"))
    account_link_id: Mapped[UUID | None] = mapped_column(ForeignKey("account_links.id", ondelete="CASCADE"))
    # Address of a message about an account to an address that is not the account's.
    email: Mapped[str | None] = mapped_column(String(254))
    state: Mapped[str] = mapped_column(EnumText(10), default=DeliveryState.QUEUED)
    reason: Mapped[str] = mapped_column(String(500), default="")
    answer: Mapped[str] = mapped_column(String(500), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    sends: Mapped[int] = mapped_column(default=1)
    lease: Mapped[UUID | None]
    next_attempt_at: Mapped[datetime] = mapped_column(default=now)
    created_at: Mapped[datetime] = mapped_column(default=now)
    sent_at: Mapped[datetime | None]

    invitation: Mapped[Invitation | None] = relationship(
        back_populates="message", lazy="raise", foreign_keys=[invitation_id]
    )
    about: Mapped[Invitation | None] = relationship(lazy="raise", foreign_keys=[about_id])
    user: Mapped[User | None] = relationship(lazy="raise")
    organization: Mapped[Organization | None] = relationship(lazy="raise")
    account_link: Mapped[AccountLink | None] = relationship(lazy="raise")


# Written out: SQLite plans a statement anew whenever it is run with a parameter that decides
# whether one of the indexes above that hold some of the rows only may be used.
IS_PENDING = Invitation.state == literal_column("'pending'", String)
IS_QUEUED = OutboxMessage.state == literal_column("'queued'", String)
