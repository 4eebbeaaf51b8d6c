"""Why somebody is not in yet: a badge, a sentence, and the step that helps."""

from dataclasses import dataclass

from invite_app.mail.transport import transport
from invite_app.models import Invitation, InvitationState
from invite_app.models.base import now
from invite_app.services import reasons
from invite_app.services.reasons import Reason

from .why_words import WORDS


@dataclass(frozen=True)
class Step:
    """What an admin can do about it; `is_act` is done at once, by a POST."""

    label: str
    endpoint: str
    icon: str
    is_act: bool = False
    short: str = ""

    @property
    def brief(self) -> str:
        """The label where there is little room."""
        return self.short or self.label


SEND_AGAIN = Step("Send again", "pages.resend_invitation", "send", is_act=True)
SEND_FRESH = Step("Send a fresh one", "pages.resend_invitation", "send", is_act=True, short="Send fresh one")
EXTEND = Step("Extend by 7 days", "pages.extend_invitation", "calendar-plus", is_act=True, short="Extend")
TAKE_OVER = Step("Take over", "pages.take_over_invitation", "user-share", is_act=True)
COPY_LINK = Step("Copy link", "pages.invitation_link", "copy")
CORRECT_ADDRESS = Step("Correct the address", "pages.edit_invitation", "pencil", short="Correct address")
CHANGE_ADDRESS = Step("Change the address", "pages.edit_invitation", "pencil", short="Change address")
CHOOSE_ROLE = Step("Choose a role", "pages.edit_invitation", "shield-check")
REVOKE = Step("Revoke", "pages.revoke_invitation", "ban")
INVITE_AGAIN = Step("Invite again", "pages.invite", "user-plus")
OPEN_SEATS = Step("Open seats", "pages.overview", "armchair")
OPEN_MEMBERS = Step("Open members", "pages.members", "users")

KINDS: dict[Reason, tuple[str, str, str]] = {
    Reason.ACCEPTED: ("ok", "circle-check", "Accepted"),
    Reason.DECLINED: ("plum", "hand-stop", "Declined"),
    Reason.REVOKED: ("off", "ban", "Revoked"),
    Reason.ASKS_AGAIN: ("warn", "hand-stop", "Asks again"),
    Reason.EXPIRED: ("warn", "hourglass", "Expired"),
    Reason.INVITER_LOST_RIGHT: ("warn", "lock", "Inviter lost right"),
    Reason.ROLE_GONE: ("warn", "shield-check", "Role gone"),
    Reason.NO_SEAT: ("warn", "armchair", "No seat"),
    Reason.NOT_DELIVERED: ("bad", "alert-circle", "Not delivered"),
    Reason.SENDING: ("off", "stack-2", "Sending"),
    Reason.WRONG_ACCOUNT: ("warn", "user-question", "Wrong account"),
    Reason.OPENED_ENDS_SOON: ("wait", "eye", "Opened"),
    Reason.OPENED: ("wait", "eye", "Opened"),
    Reason.DELIVERED: ("wait", "send", "Delivered"),
}
STATES: dict[InvitationState, tuple[str, str, str]] = {
    InvitationState.PENDING: ("wait", "clock", "Pending"),
    InvitationState.ACCEPTED: KINDS[Reason.ACCEPTED],
    InvitationState.DECLINED: KINDS[Reason.DECLINED],
    InvitationState.REVOKED: KINDS[Reason.REVOKED],
    InvitationState.EXPIRED: KINDS[Reason.EXPIRED],
}

STEPS: dict[Reason, tuple[Step, ...]] = {
    Reason.ACCEPTED: (OPEN_MEMBERS,),
    Reason.DECLINED: (INVITE_AGAIN,),
    Reason.REVOKED: (INVITE_AGAIN,),
    Reason.ASKS_AGAIN: (SEND_FRESH,),
    Reason.EXPIRED: (SEND_FRESH,),
    Reason.INVITER_LOST_RIGHT: (TAKE_OVER, REVOKE),
    Reason.ROLE_GONE: (CHOOSE_ROLE,),
    Reason.NO_SEAT: (OPEN_SEATS,),
    Reason.NOT_DELIVERED: (CORRECT_ADDRESS, SEND_AGAIN),
    Reason.SENDING: (),
    Reason.WRONG_ACCOUNT: (SEND_AGAIN, CHANGE_ADDRESS),
    Reason.OPENED_ENDS_SOON: (EXTEND,),
}


@dataclass(frozen=True)
class Why:
    reason: Reason
    badge: tuple[str, str, str]
    sentence: str
    short: str
    detail: str
    steps: tuple[Step, ...]


def why(invitation: Invitation) -> Why:
    """The reason as the service sees it, in the words for one invitation and, shorter, for the list."""
    moment = now()
    reason = reasons.why(invitation, moment)
    sentence, short = WORDS[reason](invitation)
    steps = STEPS.get(reason, ())
    if reason in (Reason.OPENED, Reason.DELIVERED) and reasons.has_been_quiet(invitation, moment):
        steps = (SEND_AGAIN,)
    return Why(reason, _badge(invitation, reason), sentence, short, DETAILS.get(reason, ""), steps)


DETAILS: dict[Reason, str] = {
    Reason.EXPIRED: "A fresh one is the same link, sent again; it works as long as a new one would.",
    Reason.INVITER_LOST_RIGHT: "Take the invitation over, and it counts as sent by you.",
    Reason.ROLE_GONE: "The link works again as soon as the invitation names a role.",
    Reason.NO_SEAT: "Raise the limit, remove a member or revoke another invitation; the same link then works.",
    Reason.NOT_DELIVERED: "Another address gets a link of its own; the old link stops working.",
    Reason.WRONG_ACCOUNT: "The invitation still works. “Sign out and continue” on its page is the way on.",
}


def _badge(invitation: Invitation, reason: Reason) -> tuple[str, str, str]:
    if reason == Reason.DELIVERED and invitation.message is None:
        return ("off", "mail-off", "Not sent")
    if reason == Reason.DELIVERED and transport().is_local:
        return ("wait", "mail-opened", "In the outbox")
    return KINDS[reason]
