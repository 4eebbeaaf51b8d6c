"""Why somebody is not in yet: a badge, a sentence, and the step that helps."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from invite_app.mail.transport import transport
from invite_app.models import DeliveryState, Invitation, InvitationState
from invite_app.models.types import now
from invite_app.pages.shared import principal
from invite_app.services import invitations
from invite_app.services.invitations import StatusReason

from .status_texts import WORDS, revoked_by


def _by_id(invitation: Invitation) -> dict[str, Any]:
    return {"invitation_id": invitation.id}


@dataclass(frozen=True)
class NextStep:
    """A next step for an admin; `is_act` means a POST that acts at once. `given` are the URL's values."""

    label: str
    endpoint: str
    icon: str
    is_act: bool = False
    short: str = ""
    anchor: str = ""
    given: Callable[[Invitation], dict[str, Any]] = _by_id

    @property
    def brief(self) -> str:
        """The label where there is little room."""
        return self.short or self.label


SEND_AGAIN = NextStep("Send again", "pages.resend_invitation", "send", is_act=True)
SEND_FRESH = NextStep("Send a fresh one", "pages.resend_invitation", "send", is_act=True, short="Send fresh one")
EXPLAIN = NextStep("Send again with an explanation", "pages.send_again", "send", short="Send again…")
TRY_NOW = NextStep("Try now", "pages.try_invitation_now", "refresh", is_act=True)
EXTEND = NextStep("Extend by 7 days", "pages.extend_invitation", "calendar-plus", is_act=True, short="Extend")
TAKE_OVER = NextStep("Take over", "pages.take_over_invitation", "user-share", is_act=True)
COPY_LINK = NextStep("Copy link", "pages.invitation_link", "copy")
CORRECT_ADDRESS = NextStep(
    "Correct the address", "pages.edit_invitation", "pencil", short="Correct address", anchor="email"
)
CORRECT_AND_SEND = NextStep("Correct the address", "pages.send_again", "pencil", anchor="email")
CHANGE_ADDRESS = NextStep(
    "Change the address", "pages.edit_invitation", "pencil", short="Change address", anchor="email"
)
CHOOSE_ROLE = NextStep("Choose a role", "pages.edit_invitation", "shield-check", anchor="role")
REVOKE = NextStep("Revoke", "pages.revoke_invitation", "ban")
INVITE_AGAIN = NextStep(
    "Invite again", "pages.invite", "user-plus", given=lambda invitation: {"email": invitation.email}
)
OPEN_SEATS = NextStep("Open seats", "pages.overview", "armchair", anchor="seats", given=lambda _: {})
CHANGE_SEATS = replace(OPEN_SEATS, endpoint="pages.settings", anchor="seat_limit")
OPEN_MEMBER = NextStep("Open member", "pages.members", "users", given=lambda invitation: {"q": invitation.email})

BADGES: dict[StatusReason, tuple[str, str, str]] = {
    StatusReason.ACCEPTED: ("ok", "circle-check", "Accepted"),
    StatusReason.DECLINED: ("plum", "hand-stop", "Declined"),
    StatusReason.REVOKED: ("off", "ban", "Revoked"),
    StatusReason.ASKS_AGAIN: ("warn", "hand-stop", "Asks again"),
    StatusReason.EXPIRED: ("warn", "hourglass", "Expired"),
    StatusReason.INVITER_LOST_RIGHT: ("warn", "lock", "Inviter lost right"),
    StatusReason.ROLE_GONE: ("warn", "shield-check", "Role gone"),
    StatusReason.DOMAIN_NOT_ALLOWED: ("warn", "mail-off", "Domain not allowed"),
    StatusReason.NO_SEAT: ("warn", "armchair", "No seat"),
    StatusReason.NOT_DELIVERED: ("bad", "alert-circle", "Not delivered"),
    StatusReason.SENDING: ("off", "stack-2", "Sending"),
    StatusReason.WRONG_ACCOUNT: ("warn", "user-question", "Wrong account"),
    StatusReason.OPENED_ENDS_SOON: ("wait", "eye", "Opened"),
    StatusReason.OPENED: ("wait", "eye", "Opened"),
    StatusReason.DELIVERED: ("wait", "send", "Delivered"),
}
STATES: dict[InvitationState, tuple[str, str, str]] = {
    InvitationState.PENDING: ("wait", "clock", "Pending"),
    InvitationState.ACCEPTED: BADGES[StatusReason.ACCEPTED],
    InvitationState.DECLINED: BADGES[StatusReason.DECLINED],
    InvitationState.REVOKED: BADGES[StatusReason.REVOKED],
    InvitationState.EXPIRED: BADGES[StatusReason.EXPIRED],
}

STEPS: dict[StatusReason, tuple[NextStep, ...]] = {
    StatusReason.ACCEPTED: (OPEN_MEMBER,),
    StatusReason.DECLINED: (INVITE_AGAIN,),
    StatusReason.REVOKED: (INVITE_AGAIN,),
    StatusReason.ASKS_AGAIN: (SEND_FRESH,),
    StatusReason.EXPIRED: (SEND_FRESH,),
    StatusReason.INVITER_LOST_RIGHT: (TAKE_OVER, REVOKE),
    StatusReason.ROLE_GONE: (CHOOSE_ROLE,),
    StatusReason.DOMAIN_NOT_ALLOWED: (CHANGE_ADDRESS,),
    StatusReason.NO_SEAT: (OPEN_SEATS,),
    StatusReason.NOT_DELIVERED: (CORRECT_ADDRESS, SEND_AGAIN),
    StatusReason.SENDING: (TRY_NOW,),
    StatusReason.WRONG_ACCOUNT: (EXPLAIN, CHANGE_ADDRESS),
    StatusReason.OPENED_ENDS_SOON: (EXTEND,),
}


@dataclass(frozen=True)
class Status:
    reason: StatusReason
    badge: tuple[str, str, str]
    sentence: str
    short: str
    detail: str
    steps: tuple[NextStep, ...]


def why(invitation: Invitation, *, ended_by: str = "") -> Status:
    """The reason as the service sees it, in the words for one invitation and, shorter, for the list.

    `ended_by` is who revoked it, where that is known.
    """
    reason = invitations.why(invitation, now())
    sentence, short = WORDS[reason](invitation)
    if reason == StatusReason.REVOKED and ended_by:
        sentence = revoked_by(invitation, ended_by)
    steps = _steps(invitation, reason)
    detail = DETAILS.get(reason, "") if CORRECT_ADDRESS in steps or reason != StatusReason.NOT_DELIVERED else ""
    return Status(reason, _badge(invitation, reason), sentence, short, detail, steps)


def _steps(invitation: Invitation, reason: StatusReason) -> tuple[NextStep, ...]:
    """Return the steps for a reason; some depend on the outcome of the mail."""
    message = invitation.message
    match reason:
        case StatusReason.OPENED | StatusReason.DELIVERED if invitations.is_stale(invitation, now()):
            return (SEND_AGAIN,)
        case StatusReason.NOT_DELIVERED if message and not invitations.was_rejected(message):
            return (SEND_AGAIN, COPY_LINK)
        case StatusReason.SENDING if message and not message.attempts:
            return ()
        case StatusReason.NO_SEAT if principal().can("organization:write"):
            return (CHANGE_SEATS,)
        case StatusReason.EXPIRED if message and message.state == DeliveryState.FAILED:
            return (SEND_FRESH, CORRECT_AND_SEND)
        case _:
            return STEPS.get(reason, ())


DETAILS: dict[StatusReason, str] = {
    StatusReason.EXPIRED: "A fresh one is the same link, sent again; it works as long as a new one would.",
    StatusReason.INVITER_LOST_RIGHT: "Take the invitation over, and it counts as sent by you.",
    StatusReason.ROLE_GONE: "The link works again as soon as the invitation names a role.",
    StatusReason.DOMAIN_NOT_ALLOWED: (
        "The new address gets its own link. The link works again if the domain is allowed."
    ),
    StatusReason.NO_SEAT: "Raise the limit, remove a member or revoke another invitation; the same link then works.",
    StatusReason.NOT_DELIVERED: "Another address gets a link of its own; the old link stops working.",
    StatusReason.WRONG_ACCOUNT: "The invitation still works. “Sign out and continue” on its page is the way on.",
}


def _badge(invitation: Invitation, reason: StatusReason) -> tuple[str, str, str]:
    if reason == StatusReason.DELIVERED and invitation.message is None:
        return ("off", "mail-off", "Not sent")
    if reason == StatusReason.DELIVERED and transport().is_local:
        return ("wait", "mail-opened", "In the outbox")
    return BADGES[reason]
