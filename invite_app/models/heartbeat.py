"""The last heartbeat of mail delivery."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .types import Base, now


class DeliveryHeartbeat(Base):
    """A single row with the latest sign of life of all delivery processes and threads."""

    __tablename__ = "delivery_heartbeat"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    at: Mapped[datetime] = mapped_column(default=now)
