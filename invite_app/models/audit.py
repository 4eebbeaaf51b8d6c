"""Audit events. Rows are added; only erasure and retention change or delete any."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Index, String, event
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from .types import Base, UuidPrimaryKey, now


class AuditEvent(UuidPrimaryKey, Base):
    """An event, with actor and target by id and by the name they had, since either may be gone later.

    The organization may be gone, too: its log is kept for the operator.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_by_time", "organization_id", "at", "id"),
        Index("ix_audit_events_by_action", "organization_id", "action", "at", "id"),
        Index("ix_audit_events_by_target", "target_id", "at"),
    )

    organization_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(default=now)
    action: Mapped[str] = mapped_column(String(50))
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(String(254))
    target_kind: Mapped[str] = mapped_column(String(20))
    target_id: Mapped[UUID | None]
    target_name: Mapped[str] = mapped_column(String(254))
    ip: Mapped[str | None] = mapped_column(String(45))
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(default=dict)


@event.listens_for(AuditEvent, "before_update")
@event.listens_for(AuditEvent, "before_delete")
def _refuse_changes(_mapper: Mapper[AuditEvent], _connection: Connection, _row: AuditEvent) -> None:
    raise RuntimeError("audit events are only added")
