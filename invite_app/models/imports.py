"""Imports of people, their rows, and batches."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .types import Base, EnumText, UuidPrimaryKey, now


class RowState(StrEnum):
    """What can be done with a row; that there is no seat for a ready one shows only when seats are counted."""

    READY = "ready"
    CHECK = "check"
    """Probably mistyped: it waits for a yes or a correction."""
    FIX = "fix"
    SKIPPED = "skipped"
    """There is nothing to send: a member, somebody invited, or a repetition."""
    SENT = "sent"


class Import(UuidPrimaryKey, Base):
    """Role and workspaces stand in for rows that name none."""

    __tablename__ = "sheets"

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    role: Mapped[str] = mapped_column(String(100))
    workspaces: Mapped[list[str]] = mapped_column(default=list)
    batch_id: Mapped[UUID | None] = mapped_column(ForeignKey("batches.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)


class ImportRow(Base):
    """One line as it was written, with the verdict on it. `address` is the email normalized, where it can be."""

    __tablename__ = "sheet_rows"
    __table_args__ = (
        Index("ix_sheet_rows_by_state", "sheet_id", "state", "position"),
        Index("ix_sheet_rows_by_address", "sheet_id", "address"),
    )

    sheet_id: Mapped[UUID] = mapped_column(ForeignKey("sheets.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    email: Mapped[str] = mapped_column(Text)
    given_name: Mapped[str] = mapped_column(Text)
    family_name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    workspaces: Mapped[list[str]] = mapped_column(default=list)
    is_confirmed: Mapped[bool] = mapped_column("is_kept", key="is_confirmed", default=False)
    """Somebody has said that the address is meant as it is written."""
    address: Mapped[str] = mapped_column(String(254), default="")
    state: Mapped[str] = mapped_column(EnumText(10), default=RowState.READY)
    field: Mapped[str] = mapped_column(String(30), default="")
    reason: Mapped[str] = mapped_column(String(500), default="")
    suggestion: Mapped[str] = mapped_column(String(254), default="")
    invitation_id: Mapped[UUID | None] = mapped_column(ForeignKey("invitations.id", ondelete="SET NULL"))


class Batch(UuidPrimaryKey, Base):
    """One list of invitations; `total` counts its rows, the invitations that came of it carry its id."""

    __tablename__ = "batches"

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    total: Mapped[int]
    sent: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
