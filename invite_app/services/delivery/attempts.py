"""Claim due messages and send them."""

from collections.abc import Callable

from invite_app.db import transaction
from invite_app.errors import RateLimited
from invite_app.mail import messages
from invite_app.mail.transport import AddressRefused, NotSent, Receipt, transport
from invite_app.models import InvitationState, OutboxMessage
from invite_app.models.types import now
from invite_app.services import held_mail, rate_limits

from . import claims, outbox, outcomes
from .outcomes import Outcome

# Limit for mails to one address, and the kinds of mail that an organization can have sent to a stranger.
TO_RECIPIENT = "invitations to recipient"
COUNTED = ("invitation", "added")


# Message builders by kind of outbox row.
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


def claim(limit: int) -> list[OutboxMessage]:
    """Lease the next due messages to the caller, oldest first, each with what it is built of.

    They stay as they are at this moment, outside the session, and belong to the caller for the time of one
    message and LEASE_MARGIN: what it has not begun by then it leaves alone.
    """
    if not claims.has_due(now()):  # most of the time, and no reason to lock anybody out
        return []
    with transaction():
        return claims.take(limit, now(), until=outbox.lease_end())


def attempt(claimed: OutboxMessage) -> Outcome:
    """Try to send one claimed message; what is to be written down about it. Touches no database.

    A message whose lease could run out meanwhile is given back.
    """
    return _without_sending(claimed) or _send(claimed)


def _without_sending(claimed: OutboxMessage) -> Outcome | None:
    """Return the result for a message that must not be sent now."""
    if claimed.next_attempt_at <= now() + outbox.send_timeout():
        return outcomes.released(claimed)
    if reason := _cancel_reason(claimed):
        return outcomes.failed(claimed, reason, attempts=claimed.attempts)
    if claimed.invitation is not None and held_mail.must_wait(claimed.invitation):
        return outcomes.held(claimed)
    return None


def _send(claimed: OutboxMessage) -> Outcome:
    message = BUILDERS[claimed.kind](claimed)
    try:
        if claimed.kind in COUNTED:
            rate_limits.check(TO_RECIPIENT, message.to)
        receipt = transport().send(message)
    except RateLimited as error:
        return outcomes.deferred(claimed, error.retry_after)
    except AddressRefused as error:
        return outcomes.failed(claimed, str(error), attempts=claimed.attempts + 1)
    except NotSent as error:
        return outcomes.postponed(claimed, str(error))
    if claimed.kind in COUNTED:
        rate_limits.note(TO_RECIPIENT, message.to)
    return outcomes.sent(claimed, receipt)


def mark_sent(row: OutboxMessage, receipt: Receipt) -> None:
    """Write down that the mail server has the message, also on the row that the caller holds."""
    result = outcomes.sent(row, receipt)
    if outcomes.save_results([result]):
        for name, value in result.values.items():
            setattr(row, name, value)


def _cancel_reason(row: OutboxMessage) -> str | None:
    if row.invitation is not None and row.invitation.state_at(now()) != InvitationState.PENDING:
        return "the invitation ended before it was sent"
    link = row.account_link
    if link is not None and (link.used_at is not None or link.expires_at <= now()):
        return "the link ended before it was sent"
    return None
