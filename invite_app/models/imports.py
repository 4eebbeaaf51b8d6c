"""Imports of people, their rows, and batches."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .types import Base, EnumText, UuidPrimaryKey, now


class RowState(StrEnum):
    """The state of an import row. A missing seat for a ready row shows only when seats are counted."""

    READY = "ready"
    # Probably mistyped: needs confirmation or a correction.
    CHECK = "check"
    FIX = "fix"
    # Nothing to send: a member, somebody already invited, or a duplicate row.
    SKIPPED = "skipped"
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
    """A row as it was entered, with its validation result. `address` is the normalized email, if it is valid."""

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
    # An admin has confirmed the address as written.
    is_confirmed: Mapped[bool] = mapped_column("is_kept", key="is_confirmed", default=False)
    address: Mapped[str] = mapped_column(String(254), default="")
    state: Mapped[str] = mapped_column(EnumText(10), default=RowState.READY)
    field: Mapped[str] = mapped_column(String(30), default="")
    reason: Mapped[str] = mapped_column(String(500), default="")
    suggestion: Mapped[str] = mapped_column(String(254), default="")
    invitation_id: Mapped[UUID | None] = mapped_column(ForeignKey("invitations.id", ondelete="SET NULL"))


class Batch(UuidPrimaryKey, Base):
    """A batch of invitations. `total` counts its rows; invitations created from it carry its id."""

    __tablename__ = "batches"

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    total: Mapped[int]
    sent: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
