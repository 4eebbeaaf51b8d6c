"""Record link visits and requests for a new invitation.

A visit never accepts, declines or uses up the invitation.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm.attributes import flag_modified

from invite_app import tokens
from invite_app.db import session, transaction
from invite_app.errors import InvitationClosed, InvitationPending, SeatLimitReached
from invite_app.models import Invitation, InvitationState, TrackingEvent, User
from invite_app.models.types import now
from invite_app.services import delivery, inviter_mail, timeline, validation

from . import acceptance, links

# A repeated event is not recorded again within this time.
THROTTLE = timedelta(minutes=10)


def record_scan(token: str) -> None:
    """Record that a link scanner fetched the link. Raises InvalidLink."""
    _observe(token, TrackingEvent.CHECKED, "checked_at")


def record_visit(token: str, user_id: UUID | None) -> None:
    """Record that a person, possibly signed in, opened the page. Raises InvalidLink."""
    offer = acceptance.open_link(token)
    account = session().get(User, user_id) if user_id else None
    if account is not None and account.email != offer.invitation.email:
        record_wrong_account(token, account.id)
        return
    record_opened(token)
    if isinstance(offer.obstacle, SeatLimitReached):
        record_no_seat(token)


def record_opened(token: str) -> None:
    """Record that a person opened the page. Raises InvalidLink."""
    _observe(token, TrackingEvent.OPENED, "opened_at")


def record_wrong_account(token: str, user_id: UUID) -> None:
    """Record that a person opened the page with another account, whose address is stored masked.

    Raises InvalidLink.
    """
    account = session().get_one(User, user_id).email
    _observe(token, TrackingEvent.WRONG_ACCOUNT, "wrong_account_at", {"account": mask_email(account)})


def record_no_seat(token: str) -> None:
    """Record that a person could not accept because all seats were taken. Raises InvalidLink."""
    _observe(token, TrackingEvent.NO_SEAT, "no_seat_at")


def request_new_invitation(token: str, word: str = "") -> Invitation:
    """Record the invitee's request for a new invitation, and notify the inviter of the first one.

    Raises InvalidLink, InvalidNote, InvitationPending (the link still works)
    and InvitationClosed (declined, revoked, accepted).
    """
    parsed = tokens.parse(token)
    with transaction():
        invitation, _ = links.lock(parsed)
        match invitation.state_at(now()):
            case InvitationState.EXPIRED:
                is_first = invitation.asked_at is None
                invitation.request_message = validation.note(word)
                invitation.asked_at = now()
                if is_first:  # repeated requests appear in the timeline but send no mail
                    delivery.notify_inviter(inviter_mail.ASKED, invitation)
                timeline.record(invitation.id, TrackingEvent.ASKED, word=invitation.request_message)
            case InvitationState.PENDING:
                raise InvitationPending(invitation.email, invitation.id, invitation.created_at)
            case state:
                raise InvitationClosed(invitation.id, state)
    return invitation


def mask_email(address: str) -> str:
    """Mask an address so that only its owner recognizes it: `p•••n@gmail.com`."""
    local, _, domain = address.rpartition("@")
    return f"{local[0]}•••{local[-1]}@{domain}"


def _observe(token: str, kind: TrackingEvent, column: str, detail: dict[str, Any] | None = None) -> None:
    """Record an event, unless it was just recorded or the invitation is closed."""
    parsed = tokens.parse(token)
    moment = now()
    if not _is_new(links.find(parsed), column, moment):
        return
    with transaction():
        invitation, _ = links.lock(parsed)
        if not _is_new(invitation, column, moment):
            return
        setattr(invitation, column, moment)
        flag_modified(invitation, "updated_at")  # writes the old value: a visit is not a change
        if kind == TrackingEvent.OPENED:
            invitation.opened_count += 1
        timeline.record(invitation.id, kind, **(detail or {}))


def _is_new(invitation: Invitation, column: str, moment: datetime) -> bool:
    last: datetime | None = getattr(invitation, column)
    is_closed = invitation.state not in (InvitationState.PENDING, InvitationState.EXPIRED)
    return not is_closed and (last is None or moment - last > THROTTLE)
