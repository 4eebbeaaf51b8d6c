"""The status reason of an invitation, shared by lists, pages and APIs.

The first matching rule applies. Visits and delivery count since the invitation was last sent.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, or_

from invite_app.models import DeliveryState, Invitation, InvitationState, OutboxMessage
from invite_app.services import delivery

ENDS_SOON = timedelta(hours=48)
LONG_QUIET = timedelta(days=2)


class StatusReason(StrEnum):
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"
    ASKS_AGAIN = "asks_again"
    EXPIRED = "expired"
    INVITER_LOST_RIGHT = "inviter_lost_right"
    ROLE_GONE = "role_gone"
    DOMAIN_NOT_ALLOWED = "domain_not_allowed"
    NO_SEAT = "no_seat"
    NOT_DELIVERED = "not_delivered"
    SENDING = "sending"
    WRONG_ACCOUNT = "wrong_account"
    OPENED_ENDS_SOON = "opened_ends_soon"
    OPENED = "opened"
    DELIVERED = "delivered"


# Reasons that require an action by an admin.
NEEDS_ATTENTION = frozenset(
    {
        StatusReason.ASKS_AGAIN,
        StatusReason.INVITER_LOST_RIGHT,
        StatusReason.ROLE_GONE,
        StatusReason.DOMAIN_NOT_ALLOWED,
        StatusReason.NO_SEAT,
        StatusReason.NOT_DELIVERED,
        StatusReason.WRONG_ACCOUNT,
    }
)


def why(invitation: Invitation, moment: datetime) -> StatusReason:
    """Return why the invitee has not joined at `moment`, or how the invitation was closed. Reads its message."""
    for reason, applies in _RULES:
        if applies(invitation, moment):
            return reason
    return StatusReason.DELIVERED


def is_stale(invitation: Invitation, moment: datetime) -> bool:
    """Return whether nothing has happened for two days, so that pages offer to resend."""
    message = invitation.message
    last = invitation.opened_at or (message.sent_at if message else None) or invitation.created_at
    return moment - last > LONG_QUIET


def was_rejected(message: OutboxMessage) -> bool:
    """Return whether the mail server rejected a failed message; otherwise its retries were exhausted."""
    return message.attempts < delivery.MAX_ATTEMPTS


def needs_attention(moment: datetime) -> ColumnElement[bool]:
    """Return the SQL condition for a reason in `NEEDS_ATTENTION`."""
    return and_(
        Invitation.state.in_((InvitationState.PENDING, InvitationState.EXPIRED)),
        Invitation.needs_attention,
        or_(Invitation.asked_at.is_not(None), Invitation.expires_at > moment),
    )


def _is(state: InvitationState) -> Callable[[Invitation, datetime], bool]:
    return lambda invitation, moment: invitation.state_at(moment) == state


def _has_asked(invitation: Invitation, moment: datetime) -> bool:
    return invitation.asked_at is not None and invitation.state_at(moment) == InvitationState.EXPIRED


def _delivery_is(state: DeliveryState) -> Callable[[Invitation, datetime], bool]:
    return lambda invitation, _: invitation.message is not None and invitation.message.state == state


def _met_wrong_account(invitation: Invitation, _: datetime) -> bool:
    return invitation.wrong_account_at is not None and invitation.opened_at is None


def _is_open(invitation: Invitation, _: datetime) -> bool:
    return invitation.opened_at is not None


def _is_open_and_ends_soon(invitation: Invitation, moment: datetime) -> bool:
    return _is_open(invitation, moment) and invitation.expires_at - moment < ENDS_SOON


_RULES: tuple[tuple[StatusReason, Callable[[Invitation, datetime], bool]], ...] = (
    (StatusReason.ACCEPTED, _is(InvitationState.ACCEPTED)),
    (StatusReason.DECLINED, _is(InvitationState.DECLINED)),
    (StatusReason.REVOKED, _is(InvitationState.REVOKED)),
    (StatusReason.ASKS_AGAIN, _has_asked),
    (StatusReason.EXPIRED, _is(InvitationState.EXPIRED)),
    (StatusReason.INVITER_LOST_RIGHT, lambda invitation, _: invitation.inviter_lost_right),
    (StatusReason.ROLE_GONE, lambda invitation, _: invitation.role_id is None),
    (StatusReason.DOMAIN_NOT_ALLOWED, lambda invitation, _: invitation.domain_not_allowed),
    (StatusReason.NO_SEAT, lambda invitation, _: invitation.no_seat_at is not None),
    (StatusReason.NOT_DELIVERED, _delivery_is(DeliveryState.FAILED)),
    (StatusReason.SENDING, _delivery_is(DeliveryState.QUEUED)),
    (StatusReason.WRONG_ACCOUNT, _met_wrong_account),
    (StatusReason.OPENED_ENDS_SOON, _is_open_and_ends_soon),
    (StatusReason.OPENED, _is_open),
)
