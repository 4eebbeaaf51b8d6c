"""Why somebody is not in yet: one answer for the list, the page and the API.

The first true line of the list below counts. Opening and delivery count since the last sending.
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
"""The reasons that wait for an admin to do something."""


def why(invitation: Invitation, moment: datetime) -> StatusReason:
    """Why the invitee is not in yet at `moment` (or how it ended). Needs the invitation's message."""
    for reason, is_true in _LINES:
        if is_true(invitation, moment):
            return reason
    return StatusReason.DELIVERED


def is_stale(invitation: Invitation, moment: datetime) -> bool:
    """Whether nothing has happened for two days, so that sending again is worth a button."""
    message = invitation.message
    last = invitation.opened_at or (message.sent_at if message else None) or invitation.created_at
    return moment - last > LONG_QUIET


def was_rejected(message: OutboxMessage) -> bool:
    """Whether a failed message was turned down, as for a wrong address; else nobody took it in time."""
    return message.attempts < delivery.MAX_ATTEMPTS


def needs_attention(moment: datetime) -> ColumnElement[bool]:
    """The same as being in NEEDS_YOU, for the database."""
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


_LINES: tuple[tuple[StatusReason, Callable[[Invitation, datetime], bool]], ...] = (
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
