"""Queue messages, as part of the caller's transaction."""

from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import update
from uuid_utils.compat import uuid4

from invite_app.db import session
from invite_app.mail.transport import transport
from invite_app.models import IS_QUEUED, AccountLink, DeliveryState, Invitation, Organization, OutboxMessage, User
from invite_app.models.types import fresh, now

LEASE_MARGIN = timedelta(seconds=20)


def enqueue(invitation: Invitation, *, at_once: bool = True) -> OutboxMessage:
    """Put an invitation's message in the queue, as part of the caller's transaction."""
    row = new_message(invitation, at_once=at_once)
    session().add(row)
    return row


def new_message(invitation: Invitation, *, at_once: bool = True) -> OutboxMessage:
    """The message of an invitation, not yet in the database.

    With immediate delivery, and unless `at_once` is false, the row is leased to this request until its mail
    deadline has surely passed, so no delivery process sends the same message meanwhile.
    """
    row = fresh(
        OutboxMessage, kind="invitation", organization_id=invitation.organization_id, invitation_id=invitation.id
    )
    if transport().is_local:
        _mark_local(row)
    elif at_once and current_app.config["MAIL_DELIVERY"] == "immediate":
        row.lease, row.next_attempt_at = uuid4(), lease_end()
    return row


def requeue(row: OutboxMessage) -> None:
    """Queue the same message for another sending, as part of the caller's transaction."""
    row.sends += 1
    row.state, row.reason, row.answer = DeliveryState.QUEUED, "", ""
    row.attempts, row.lease, row.next_attempt_at, row.sent_at = 0, None, now(), None
    if transport().is_local:
        _mark_local(row)


def retry_now(row: OutboxMessage) -> None:
    """Let the next try come at once, unless one is under way; part of the caller's transaction."""
    session().execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == row.id, IS_QUEUED, OutboxMessage.lease.is_(None))
        .values(next_attempt_at=now())
    )


def enqueue_notification(
    kind: str,
    user: User,
    *,
    organization: Organization | None = None,
    link: AccountLink | None = None,
    about: Invitation | None = None,
    email: str | None = None,
) -> OutboxMessage:
    """Queue a message about somebody's account or membership, or to them about an invitation, as part of the
    caller's transaction. It goes to `email` if given, else to the account's address.
    """
    row = OutboxMessage(
        kind=kind,
        user_id=user.id,
        organization_id=organization.id if organization else None,
        account_link_id=link.id if link else None,
        about_id=about.id if about else None,
        email=email,
    )
    if transport().is_local:
        _mark_local(row)
    session().add(row)
    return row


def _mark_local(row: OutboxMessage) -> None:
    row.state, row.answer, row.sent_at = DeliveryState.SENT, "local outbox", now()


def lease_end() -> datetime:
    return now() + send_timeout() + LEASE_MARGIN


def send_timeout() -> timedelta:
    """Return the time limit for sending one message."""
    return timedelta(seconds=current_app.config["MAIL_TIMEOUT"])
