"""The sign of life that delivery leaves in the database, and whether it has stood still."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from invite_app.db import session, transaction
from invite_app.models import IS_QUEUED, DeliveryHeartbeat, OutboxMessage
from invite_app.models.types import now

STALLED_AFTER = timedelta(minutes=2)


@dataclass(frozen=True)
class Pulse:
    """The latest sign of life, and since when the oldest message is due; None for never and nothing."""

    seen_at: datetime | None
    due_since: datetime | None
    read_at: datetime

    @property
    def age(self) -> timedelta | None:
        return self.read_at - self.seen_at if self.seen_at else None

    @property
    def problem(self) -> str:
        """Return in a sentence that delivery has stood still while messages were due; empty when it has not."""
        if self.due_since is None or self.read_at - self.due_since < STALLED_AFTER:
            return ""
        if self.age is None:
            return "Messages are due, and delivery has never run. Run: flask outbox run"
        if self.age < STALLED_AFTER:
            return ""
        seconds = int(self.age.total_seconds())
        return f"Messages are due, and delivery has stood still for {seconds} seconds. Run: flask outbox run"


def record_heartbeat() -> None:
    """Record that delivery is at work now."""
    with suppress(IntegrityError), transaction() as writing:  # another process has just inserted the row
        changed: CursorResult[tuple[()]] = writing.execute(  # type: ignore[assignment]  # an UPDATE has a row count
            update(DeliveryHeartbeat).values(at=now()), execution_options={"synchronize_session": False}
        )
        if not changed.rowcount:
            writing.execute(insert(DeliveryHeartbeat).values(id=1, at=now()))


def read_heartbeat() -> Pulse:
    """Return how delivery is doing, over all processes and organizations."""
    seen_at = session().scalar(select(DeliveryHeartbeat.at))
    due_since = session().scalar(
        select(func.min(OutboxMessage.next_attempt_at)).where(IS_QUEUED, OutboxMessage.next_attempt_at <= now())
    )
    return Pulse(seen_at, due_since, now())
