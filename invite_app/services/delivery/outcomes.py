"""Save the outcomes of sent messages in one transaction, skipping messages whose lease was lost."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Table, bindparam, func, select, update

from invite_app.db import is_postgresql, prepared, session, transaction
from invite_app.mail.transport import Receipt
from invite_app.models import DeliveryState, Invitation, OutboxMessage, TrackingEvent
from invite_app.models.engines import Among
from invite_app.models.types import now
from invite_app.services import held_mail, timeline

MAX_ATTEMPTS = 6
FIRST_PAUSE = timedelta(minutes=1)

MESSAGES: Table = OutboxMessage.__table__  # type: ignore[assignment]  # it is a Table, which the class does not say
COLUMNS = ("state", "reason", "answer", "attempts", "next_attempt_at", "sent_at", "lease")


@dataclass(frozen=True)
class Outcome:
    """The new values of a message's columns, and what its invitation's timeline tells of it."""

    row: OutboxMessage
    values: dict[str, Any]
    seen: TrackingEvent | None = None


def sent(row: OutboxMessage, receipt: Receipt) -> Outcome:
    """The mail server has the message."""
    answer = f"{receipt.host}: {receipt.answer}"[:500]
    return _result(
        row,
        TrackingEvent.TAKEN,
        state=DeliveryState.SENT,
        answer=answer,
        reason="",
        attempts=row.attempts + 1,
        sent_at=now(),
    )


def postponed(row: OutboxMessage, reason: str) -> Outcome:
    """This attempt came to nothing; there is another one later, until there were enough."""
    attempts = row.attempts + 1
    if attempts >= MAX_ATTEMPTS:
        return failed(row, reason, attempts=attempts)
    pause = FIRST_PAUSE * 4 ** (attempts - 1) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret
    return _result(row, TrackingEvent.POSTPONED, reason=reason, attempts=attempts, next_attempt_at=now() + pause)


def failed(row: OutboxMessage, reason: str, *, attempts: int) -> Outcome:
    """There is no next attempt; its column tells from now on when the last one was."""
    return _result(
        row,
        TrackingEvent.NOT_DELIVERED,
        state=DeliveryState.FAILED,
        reason=reason,
        attempts=attempts,
        next_attempt_at=now(),
    )


def released(row: OutboxMessage) -> Outcome:
    """Release the message, so that any worker can claim it immediately."""
    return _result(row, next_attempt_at=now())


def held(row: OutboxMessage) -> Outcome:
    """Hold the message back until its invitation can be accepted again; this is no attempt."""
    return _result(row, next_attempt_at=held_mail.NEVER)


def deferred(row: OutboxMessage, seconds: int) -> Outcome:
    """Leave the message in the queue until its recipient may get another one; this is no attempt."""
    return _result(row, next_attempt_at=now() + timedelta(seconds=seconds))


def save_results(results: Sequence[Outcome]) -> int:
    """Write results down, and how many there were; not those whose lease ran out, whom somebody else has by now."""
    leases = {result.row.id: result.row.lease for result in results if result.row.lease}
    failed = [result.row.invitation_id for result in results if result.seen == TrackingEvent.NOT_DELIVERED]
    held_back = [one.row.invitation_id for one in results if one.values.get("next_attempt_at") == held_mail.NEVER]
    ignore = [result.row.invitation_id for result in results if result.seen and result.row.invitation_id]
    with transaction():
        if ignore and is_postgresql():
            prepared.rows(_NOTED, {"ids": ignore})
        if failed or held_back:
            lock_invitations(filter(None, [*failed, *held_back]))
        now_held = prepared.rows(_LEASES, {"ids": list(leases)})
        ours = {row_id for row_id, lease in now_held if lease == leases[row_id]}
        written = [result for result in results if result.row.id in ours]
        if written:
            prepared.update_many(_UPDATE, [{"row_id": result.row.id, **result.values} for result in written])
            if failed:
                _mark_undelivered(written)
            if held_back:  # fixed since they were claimed, perhaps
                held_mail.release_among(filter(None, held_back))
            timeline.record_all(
                [_timeline_event(result) for result in written if result.seen and result.row.invitation_id]
            )
    return len(written)


def lock_invitations(invitation_ids: Iterable[UUID]) -> None:
    """Lock invitations before their messages: all writers of both use this order, which avoids deadlocks."""
    wanted = select(Invitation.id).where(Invitation.id.in_(list(invitation_ids)))
    session().execute(wanted.order_by(Invitation.id).with_for_update(key_share=True)).all()


def lock_all(organization_id: UUID) -> None:
    """Lock the invitations, then the messages of an organization that is about to be deleted with all of them."""
    for model in (Invitation, OutboxMessage):
        held = select(model.id).where(model.organization_id == organization_id).order_by(model.id).with_for_update()
        session().execute(select(func.count()).select_from(held.subquery()))


def _mark_undelivered(written: Sequence[Outcome]) -> None:
    """Mark invitations whose mail failed, without changing their `updated_at`."""
    failed = [result.row.invitation_id for result in written if result.seen == TrackingEvent.NOT_DELIVERED]
    session().execute(
        update(Invitation)
        .where(Invitation.id.in_(filter(None, failed)))
        .values(undelivered_at=now(), updated_at=Invitation.updated_at),
        execution_options={"synchronize_session": False},
    )


# What is noted of an invitation keeps it from being deleted, which has to be so before its message is locked.
_NOTED = (
    select(Invitation.__table__.c.id)
    .where(Among(Invitation.__table__.c.id, "ids"))
    .order_by(Invitation.__table__.c.id)
    .with_for_update(read=True, key_share=True)
)
_LEASES = (
    select(MESSAGES.c.id, MESSAGES.c.lease)
    .where(Among(MESSAGES.c.id, "ids"))
    .order_by(MESSAGES.c.id)
    .with_for_update()
)
_UPDATE = (
    MESSAGES.update().where(MESSAGES.c.id == bindparam("row_id")).values({name: bindparam(name) for name in COLUMNS})
)


def _result(row: OutboxMessage, seen: TrackingEvent | None = None, **values: Any) -> Outcome:
    same = {name: getattr(row, name) for name in COLUMNS if name not in values}
    return Outcome(row, {**same, **values, "lease": None}, seen)


def _timeline_event(result: Outcome) -> timeline.NewEvent:
    invitation_id, values = result.row.invitation_id, result.values
    assert invitation_id is not None
    assert result.seen is not None
    told = {name: values[name] for name in ("answer", "reason", "attempts") if values[name]}
    return timeline.NewEvent(invitation_id, result.seen, told)
