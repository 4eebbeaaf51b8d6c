"""The outbox: queueing a message with its invitation, and sending it. What became of it is `results`'s."""

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import Select, select, update
from sqlalchemy.orm import defer, joinedload, selectinload
from uuid_utils.compat import uuid4

from invite_app.db import session, transaction
from invite_app.errors import RateLimited
from invite_app.mail import messages
from invite_app.mail.transport import AddressRefused, NotSent, Receipt, transport
from invite_app.models import (
    IS_QUEUED,
    AccountLink,
    DeliveryState,
    Invitation,
    InvitationState,
    Organization,
    OutboxMessage,
    User,
)
from invite_app.models.base import fresh, now

from . import claims, held_mail, rate_limits, results
from .results import Result

LEASE_MARGIN = timedelta(seconds=20)
# Limit for mails to one address, and the kinds of mail that an organization can have sent to a stranger.
TO_RECIPIENT = "invitations to recipient"
COUNTED = ("invitation", "added")

BUILDERS: dict[str, Callable[[OutboxMessage], messages.MailMessage]] = {
    "invitation": messages.invitation,
    "added": messages.added,
    "removed": messages.removed,
    "declined": messages.declined,
    "asked": messages.asked,
    "reset": messages.reset,
    "address": messages.address,
    "password_changed": messages.password_changed,
    "address_changed": messages.address_changed,
    "signed_out": messages.signed_out,
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
    row = fresh(
        OutboxMessage, kind="invitation", organization_id=invitation.organization_id, invitation_id=invitation.id
    )
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


def hasten(row: OutboxMessage) -> None:
    """Let the next try come at once, unless one is under way; part of the caller's transaction."""
    session().execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == row.id, IS_QUEUED, OutboxMessage.lease.is_(None))
        .values(next_attempt_at=now())
    )


def enqueue_notice(
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
        _mark_kept(row)
    session().add(row)
    return row


def claim(limit: int) -> list[OutboxMessage]:
    """Lease the next due messages to the caller, oldest first, each with what it is built of.

    They stay as they are at this moment, outside the session, and belong to the caller for the time of one
    message and LEASE_MARGIN: what it has not begun by then it leaves alone.
    """
    if not claims.is_any_due(now()):  # most of the time, and no reason to lock anybody out
        return []
    with transaction():
        return claims.take(limit, now(), until=_lease_end())


def attempt(claimed: OutboxMessage) -> Result:
    """Try to send one claimed message; what is to be written down about it. Touches no database.

    A message whose lease could run out meanwhile is given back.
    """
    return _without_sending(claimed) or _send(claimed)


def _without_sending(claimed: OutboxMessage) -> Result | None:
    """Return the result for a message that must not be sent now."""
    if claimed.next_attempt_at <= now() + _patience():
        return results.untried(claimed)
    if reason := _why_over(claimed):
        return results.given_up(claimed, reason, attempts=claimed.attempts)
    if claimed.invitation is not None and held_mail.must_wait(claimed.invitation):
        return results.held(claimed)
    return None


def _send(claimed: OutboxMessage) -> Result:
    message = BUILDERS[claimed.kind](claimed)
    try:
        if claimed.kind in COUNTED:
            rate_limits.check(TO_RECIPIENT, message.to)
        receipt = transport().send(message)
    except RateLimited as error:
        return results.deferred(claimed, error.retry_after)
    except AddressRefused as error:
        return results.given_up(claimed, str(error), attempts=claimed.attempts + 1)
    except NotSent as error:
        return results.postponed(claimed, str(error))
    if claimed.kind in COUNTED:
        rate_limits.note(TO_RECIPIENT, message.to)
    return results.taken(claimed, receipt)


def settle_sent(row: OutboxMessage, receipt: Receipt) -> None:
    """Write down that the mail server has the message, also on the row that the caller holds."""
    result = results.taken(row, receipt)
    if results.write([result]):
        for name, value in result.values.items():
            setattr(row, name, value)


def _why_over(row: OutboxMessage) -> str | None:
    if row.invitation is not None and row.invitation.state_at(now()) != InvitationState.PENDING:
        return "the invitation ended before it was sent"
    if row.account_link is not None and row.account_link.expires_at <= now():
        return "the link ended before it was sent"
    return None


def _mark_kept(row: OutboxMessage) -> None:
    row.state, row.answer, row.sent_at = DeliveryState.SENT, "local outbox", now()


def _lease_end() -> datetime:
    return now() + _patience() + LEASE_MARGIN


def _patience() -> timedelta:
    """How long one message may keep us."""
    return timedelta(seconds=current_app.config["MAIL_TIMEOUT"])


def complete() -> Select[OutboxMessage]:
    """Messages with everything they are built of; what many of them share is read once."""
    return select(OutboxMessage).options(
        joinedload(OutboxMessage.invitation).options(
            selectinload(Invitation.organization),
            selectinload(Invitation.inviter),
            selectinload(Invitation.role),
            selectinload(Invitation.workspaces),
            defer(Invitation.public_metadata),
            defer(Invitation.private_metadata),
        ),
        selectinload(OutboxMessage.user),
        selectinload(OutboxMessage.organization),
        selectinload(OutboxMessage.account_link),
        selectinload(OutboxMessage.about),
    )
