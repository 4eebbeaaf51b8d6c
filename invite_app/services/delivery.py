"""The outbox: queueing a message with its invitation, sending it, and writing down what became of it."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import Select, select, update
from sqlalchemy.orm import joinedload, selectinload
from uuid_utils.compat import uuid4

from invite_app.db import session, transaction
from invite_app.mail import messages
from invite_app.mail.transport import AddressRefused, NotSent, Receipt, transport
from invite_app.models import (
    AccountLink,
    DeliveryState,
    Invitation,
    InvitationState,
    Observation,
    Organization,
    OutboxMessage,
    User,
)
from invite_app.models.base import now

from . import timeline

MAX_ATTEMPTS = 6
FIRST_PAUSE = timedelta(minutes=1)
LEASE_MARGIN = timedelta(seconds=20)

BUILDERS: dict[str, Callable[[OutboxMessage], messages.MailMessage]] = {
    "invitation": messages.invitation,
    "added": messages.added,
    "removed": messages.removed,
    "reset": messages.reset,
    "address": messages.address,
}
"""How the message of each kind of outbox row is built."""


def enqueue(invitation: Invitation, *, at_once: bool = True) -> OutboxMessage:
    """Put an invitation's message in the queue, as part of the caller's transaction."""
    row = message_of(invitation, at_once=at_once)
    session().add(row)
    return row


def message_of(invitation: Invitation, *, at_once: bool = True) -> OutboxMessage:
    """The message of an invitation, not yet in the database.

    With immediate delivery, and unless `at_once` is false, the row is leased to this request until its mail
    deadline has surely passed, so no delivery process sends the same message meanwhile.
    """
    row = OutboxMessage(kind="invitation", organization_id=invitation.organization_id, invitation_id=invitation.id)
    if transport().is_local:
        _mark_kept(row)
    elif at_once and current_app.config["MAIL_DELIVERY"] == "immediate":
        row.lease, row.next_attempt_at = uuid4(), _lease_end()
    return row


def enqueue_again(row: OutboxMessage) -> None:
    """Queue the same message for another sending, as part of the caller's transaction."""
    row.sends += 1
    row.state, row.reason, row.answer = DeliveryState.QUEUED, "", ""
    row.attempts, row.lease, row.next_attempt_at, row.sent_at = 0, None, now(), None
    if transport().is_local:
        _mark_kept(row)


def enqueue_notice(
    kind: str, user: User, *, organization: Organization | None = None, link: AccountLink | None = None
) -> OutboxMessage:
    """Queue a message about somebody's account or membership, as part of the caller's transaction."""
    row = OutboxMessage(
        kind=kind,
        user_id=user.id,
        organization_id=organization.id if organization else None,
        account_link_id=link.id if link else None,
    )
    if transport().is_local:
        _mark_kept(row)
    session().add(row)
    return row


def claim(limit: int) -> list[OutboxMessage]:
    """Lease the next due messages to the caller, oldest first.

    They stay as they are at this moment, outside the session, so that their lease is the one that was taken.
    """
    lease = uuid4()
    due = (
        select(OutboxMessage.id)
        .where(OutboxMessage.state == DeliveryState.QUEUED, OutboxMessage.next_attempt_at <= now())
        .order_by(OutboxMessage.next_attempt_at)
        .limit(limit)
    )
    if session().scalar(due.limit(1)) is None:  # most of the time, and no reason to lock anybody out
        return []
    with transaction() as writing:
        ids = list(writing.scalars(due.with_for_update(skip_locked=True)))
        writing.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id.in_(ids))
            .values(lease=lease, next_attempt_at=_lease_end(len(ids)))
        )
        ours = (
            select(OutboxMessage)
            .where(OutboxMessage.id.in_(ids))
            .order_by(OutboxMessage.created_at, OutboxMessage.id)
        )
        rows = list(writing.scalars(ours))
    for row in rows:
        session().expunge(row)
    return rows


def deliver(claimed: OutboxMessage) -> bool:
    """Try to send one claimed message and write down the result; whether the mail server took it.

    A message that is not ours any more is left alone, and so is one whose lease could run out meanwhile. An
    invitation or a link that ended since the claim fails.
    """
    ours = complete().where(
        OutboxMessage.id == claimed.id,
        OutboxMessage.lease == claimed.lease,
        OutboxMessage.next_attempt_at > now() + _patience(),
    )
    row = session().scalar(ours.execution_options(populate_existing=True))
    session().commit()  # the mail server may take its time, which no database connection has to wait for
    if row is None:
        return False
    if reason := _why_over(row):
        _give_up(row, reason, attempts=row.attempts)
        return False
    try:
        receipt = transport().send(BUILDERS[row.kind](row))
    except AddressRefused as error:
        _give_up(row, str(error), attempts=row.attempts + 1)
    except NotSent as error:
        postpone(row, str(error))
    else:
        settle_sent(row, receipt)
        return True
    return False


def release(row: OutboxMessage) -> None:
    """Give a claimed message back untried, since this process is about to stop."""
    _settle(row, next_attempt_at=now())


def settle_sent(row: OutboxMessage, receipt: Receipt) -> None:
    """The mail server has the message."""
    _settle(
        row,
        Observation.TAKEN,
        state=DeliveryState.SENT,
        answer=f"{receipt.host}: {receipt.answer}"[:500],
        reason="",
        attempts=row.attempts + 1,
        sent_at=now(),
    )


def postpone(row: OutboxMessage, reason: str) -> None:
    """This attempt came to nothing; there is another one later, until there were enough."""
    attempts = row.attempts + 1
    if attempts >= MAX_ATTEMPTS:
        _give_up(row, reason, attempts=attempts)
        return
    pause = FIRST_PAUSE * 4 ** (attempts - 1) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret
    _settle(row, Observation.POSTPONED, reason=reason, attempts=attempts, next_attempt_at=now() + pause)


def _give_up(row: OutboxMessage, reason: str, *, attempts: int) -> None:
    """There is no next attempt; its column tells from now on when the last one was."""
    _settle(
        row,
        Observation.NOT_DELIVERED,
        state=DeliveryState.FAILED,
        reason=reason,
        attempts=attempts,
        next_attempt_at=now(),
    )


def _why_over(row: OutboxMessage) -> str | None:
    if row.invitation is not None and row.invitation.state_at(now()) != InvitationState.PENDING:
        return "the invitation ended before it was sent"
    if row.account_link is not None and row.account_link.expires_at <= now():
        return "the link ended before it was sent"
    return None


def _settle(row: OutboxMessage, seen: Observation | None = None, **values: Any) -> None:
    """Write a result down, unless the lease ran out and somebody else has the message now."""
    with transaction() as writing:
        written = writing.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == row.id, OutboxMessage.lease == row.lease)
            .values(lease=None, **values),
            execution_options={"synchronize_session": False},
        )
        if written.rowcount and seen and row.invitation_id:  # type: ignore[attr-defined]  # an UPDATE has a row count
            told = {name: values[name] for name in ("answer", "reason", "attempts") if values.get(name)}
            timeline.note(row.invitation_id, seen, **told)
    if written.rowcount:  # type: ignore[attr-defined]  # an UPDATE's result has a row count
        for name, value in values.items():
            setattr(row, name, value)


def _mark_kept(row: OutboxMessage) -> None:
    row.state, row.answer, row.sent_at = DeliveryState.SENT, "local outbox", now()


def _lease_end(batch: int = 1) -> datetime:
    return now() + _patience() * batch + LEASE_MARGIN


def _patience() -> timedelta:
    """How long one message may keep us."""
    return timedelta(seconds=current_app.config["MAIL_TIMEOUT"])


def complete() -> Select[OutboxMessage]:
    """Messages with everything they are built of."""
    return select(OutboxMessage).options(
        joinedload(OutboxMessage.invitation).options(
            joinedload(Invitation.organization),
            joinedload(Invitation.inviter),
            joinedload(Invitation.role),
            selectinload(Invitation.workspaces),
        ),
        joinedload(OutboxMessage.user),
        joinedload(OutboxMessage.organization),
        joinedload(OutboxMessage.account_link),
    )
