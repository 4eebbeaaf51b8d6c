"""What is seen of an invitation on its way: the mail's fate, machines and people at the link, and a plea for more.

None of it changes what the invitation is worth: a link that was looked at is neither used up nor declined.
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
from invite_app.services import delivery, timeline, validation

from . import acceptance, links

THROTTLE = timedelta(minutes=10)
"""The same thing seen again within this time is not written down again."""


def record_scan(token: str) -> None:
    """Something fetched the link. Raises InvalidLink."""
    _observe(token, TrackingEvent.CHECKED, "checked_at")


def record_visit(token: str, user_id: UUID | None) -> None:
    """A browser shows the page to a person, who may be signed in. Raises InvalidLink."""
    offer = acceptance.open_link(token)
    account = session().get(User, user_id) if user_id else None
    if account is not None and account.email != offer.invitation.email:
        record_wrong_account(token, account.id)
        return
    record_opened(token)
    if isinstance(offer.obstacle, SeatLimitReached):
        record_no_seat(token)


def record_opened(token: str) -> None:
    """A person has the page open. Raises InvalidLink."""
    _observe(token, TrackingEvent.OPENED, "opened_at")


def record_wrong_account(token: str, user_id: UUID) -> None:
    """A person has the page open, signed in as somebody else, whose address is kept masked. Raises InvalidLink."""
    account = session().get_one(User, user_id).email
    _observe(token, TrackingEvent.WRONG_ACCOUNT, "wrong_account_at", {"account": mask_email(account)})


def record_no_seat(token: str) -> None:
    """A person tried to accept while all seats were taken. Raises InvalidLink."""
    _observe(token, TrackingEvent.NO_SEAT, "no_seat_at")


def request_new_invitation(token: str, word: str = "") -> Invitation:
    """The invitee of an expired invitation asks for a fresh one; the admins see it.

    Raises InvalidLink, InvalidNote, InvitationPending (it still works) and InvitationClosed (declined, revoked,
    used).
    """
    parsed = tokens.parse(token)
    with transaction():
        invitation, _ = links.lock(parsed)
        match invitation.state_at(now()):
            case InvitationState.EXPIRED:
                is_first = invitation.asked_at is None
                invitation.request_message = validation.note(word)
                invitation.asked_at = now()
                if is_first:  # who asks again and again fills the timeline, and nobody's mailbox
                    delivery.notify_inviter(delivery.ASKED, invitation)
                timeline.record(invitation.id, TrackingEvent.ASKED, word=invitation.request_message)
            case InvitationState.PENDING:
                raise InvitationPending(invitation.email, invitation.id, invitation.created_at)
            case state:
                raise InvitationClosed(invitation.id, state)
    return invitation


def mask_email(address: str) -> str:
    """An address that its owner recognises and nobody else learns: `p•••n@gmail.com`."""
    local, _, domain = address.rpartition("@")
    return f"{local[0]}•••{local[-1]}@{domain}"


def _observe(token: str, kind: TrackingEvent, column: str, detail: dict[str, Any] | None = None) -> None:
    """Write it down, unless the same was just written down or the invitation is over."""
    parsed = tokens.parse(token)
    moment = now()
    if not _is_new(links.find(parsed), column, moment):
        return
    with transaction():
        invitation, _ = links.lock(parsed)
        if not _is_new(invitation, column, moment):
            return
        setattr(invitation, column, moment)
        flag_modified(invitation, "updated_at")  # written as it is: being looked at is no change
        if kind == TrackingEvent.OPENED:
            invitation.opened_count += 1
        timeline.record(invitation.id, kind, **(detail or {}))


def _is_new(invitation: Invitation, column: str, moment: datetime) -> bool:
    seen: datetime | None = getattr(invitation, column)
    is_over = invitation.state not in (InvitationState.PENDING, InvitationState.EXPIRED)
    return not is_over and (seen is None or moment - seen > THROTTLE)
