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


class Reason(StrEnum):
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
        Reason.ASKS_AGAIN,
        Reason.INVITER_LOST_RIGHT,
        Reason.ROLE_GONE,
        Reason.DOMAIN_NOT_ALLOWED,
        Reason.NO_SEAT,
        Reason.NOT_DELIVERED,
        Reason.WRONG_ACCOUNT,
    }
)
"""The reasons that wait for an admin to do something."""


def why(invitation: Invitation, moment: datetime) -> Reason:
    """Why the invitee is not in yet at `moment` (or how it ended). Needs the invitation's message."""
    for reason, is_true in _LINES:
        if is_true(invitation, moment):
            return reason
    return Reason.DELIVERED


def has_been_quiet(invitation: Invitation, moment: datetime) -> bool:
    """Whether nothing has happened for two days, so that sending again is worth a button."""
    message = invitation.message
    last = invitation.opened_at or (message.sent_at if message else None) or invitation.created_at
    return moment - last > LONG_QUIET


def was_refused(message: OutboxMessage) -> bool:
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


_LINES: tuple[tuple[Reason, Callable[[Invitation, datetime], bool]], ...] = (
    (Reason.ACCEPTED, _is(InvitationState.ACCEPTED)),
    (Reason.DECLINED, _is(InvitationState.DECLINED)),
    (Reason.REVOKED, _is(InvitationState.REVOKED)),
    (Reason.ASKS_AGAIN, _has_asked),
    (Reason.EXPIRED, _is(InvitationState.EXPIRED)),
    (Reason.INVITER_LOST_RIGHT, lambda invitation, _: invitation.inviter_lost_right),
    (Reason.ROLE_GONE, lambda invitation, _: invitation.role_id is None),
    (Reason.DOMAIN_NOT_ALLOWED, lambda invitation, _: invitation.domain_not_allowed),
    (Reason.NO_SEAT, lambda invitation, _: invitation.no_seat_at is not None),
    (Reason.NOT_DELIVERED, _delivery_is(DeliveryState.FAILED)),
    (Reason.SENDING, _delivery_is(DeliveryState.QUEUED)),
    (Reason.WRONG_ACCOUNT, _met_wrong_account),
    (Reason.OPENED_ENDS_SOON, _is_open_and_ends_soon),
    (Reason.OPENED, _is_open),
)
