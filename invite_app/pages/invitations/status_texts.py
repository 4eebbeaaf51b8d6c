"""The sentences on why somebody is not in yet: the whole one for the invitation's page, a shorter one for lists."""

from collections.abc import Callable
from datetime import datetime, timedelta

from invite_app.mail.transport import transport
from invite_app.models import DeliveryState, Invitation
from invite_app.models.types import now
from invite_app.pages.shared import dates
from invite_app.services import invitations
from invite_app.services.invitations import StatusReason


def short_name(invitation: Invitation) -> str:
    return invitation.given_name or invitation.email


def _accepted(invitation: Invitation) -> tuple[str, str]:
    at = invitation.closed_at or invitation.updated_at
    return f"{short_name(invitation)} joined on {dates.day_and_time(at)}.", f"Joined on {dates.day(at)}."


def _declined(invitation: Invitation) -> tuple[str, str]:
    at = dates.day(invitation.closed_at or invitation.updated_at)
    word = f": “{invitation.decline_message}”" if invitation.decline_message else "."
    return f"{short_name(invitation)} declined on {at}{word}", f"Declined on {at}."


def _revoked(invitation: Invitation) -> tuple[str, str]:
    sentence = f"This was revoked on {dates.day(invitation.closed_at or invitation.updated_at)}."
    return sentence, sentence


def revoked_by(invitation: Invitation, name: str) -> str:
    return f"{name} revoked this on {dates.day(invitation.closed_at or invitation.updated_at)}."


def _asks_again(invitation: Invitation) -> tuple[str, str]:
    word = f": “{invitation.request_message}”" if invitation.request_message else "."
    asks = f"{short_name(invitation)} asks for a fresh one{word}"
    return f"{_ended_on(invitation)} {asks}", asks


def _expired(invitation: Invitation) -> tuple[str, str]:
    message = invitation.message
    if message is not None and message.state == DeliveryState.FAILED:
        return f"{_ended_on(invitation)} The email never arrived.", "The email never arrived."
    opened = {0: "never opened it", 1: "opened it once", 2: "opened it twice"}.get(
        invitation.opened_count, f"opened it {invitation.opened_count} times"
    )
    return f"{_ended_on(invitation)} {short_name(invitation)} {opened}.", f"{opened.capitalize()}."


def _inviter_lost_right(invitation: Invitation) -> tuple[str, str]:
    lost = f"may no longer grant {invitation.role_name}."
    sentence = f"{short_name(invitation)} cannot accept: {invitation.inviter_name}, who sent this, {lost}"
    return sentence, f"{invitation.inviter_name} {lost}"


def _role_gone(invitation: Invitation) -> tuple[str, str]:
    gone = f"he role “{invitation.role_name}” no longer exists."
    return f"{short_name(invitation)} cannot accept: t{gone}", f"T{gone}"


def _domain_not_allowed(invitation: Invitation) -> tuple[str, str]:
    refused = f"ddresses at {invitation.email.rpartition('@')[2]} are no longer allowed."
    return f"{short_name(invitation)} can't accept: a{refused}", f"A{refused}"


def _no_seat(invitation: Invitation) -> tuple[str, str]:
    limit = invitation.organization.seat_limit
    taken = f"all {limit:,} seats" if limit else "all seats"
    tried = f"tried to accept {_ago(invitation.no_seat_at)}, but {taken} are taken."
    return f"{short_name(invitation)} {tried}", tried.capitalize()


def _not_delivered(invitation: Invitation) -> tuple[str, str]:
    message = invitation.message
    reason = (message.reason if message else "").rstrip(".")
    if message is None or invitations.was_rejected(message):
        return f"The email never arrived: {reason}.", f"Refused: {reason}."
    return f"The email never arrived, after {message.attempts} tries: {reason}.", f"Gave up: {reason}."


def _sending(invitation: Invitation) -> tuple[str, str]:
    message = invitation.message
    if message is None or not message.reason:
        return "The email is about to be sent.", "About to be sent."
    next_try = dates.time_until(message.next_attempt_at)
    waits = f"aits for the mail server: {message.reason.rstrip('.')}. Next try {next_try}."
    return f"The email w{waits}", f"W{waits}"


def _wrong_account(invitation: Invitation) -> tuple[str, str]:
    name = short_name(invitation)
    sentence = f"{name} opened the link while signed in to another account, and stopped there."
    return sentence, f"Opened {_ago(invitation.wrong_account_at)} in another account."


def _opened_ends_soon(invitation: Invitation) -> tuple[str, str]:
    ago, ends = _ago(invitation.opened_at), dates.time_until(invitation.expires_at)
    sentence = f"{short_name(invitation)} opened this {ago} and has not accepted. It ends {ends}."
    return sentence, f"Opened {ago}, not accepted yet."


def _opened(invitation: Invitation) -> tuple[str, str]:
    ago = _ago(invitation.opened_at)
    sentence = f"{short_name(invitation)} opened this {ago} and has not accepted yet."
    return sentence, f"Opened {ago}, not accepted yet."


def _delivered(invitation: Invitation) -> tuple[str, str]:
    message = invitation.message
    if message is None:
        return "No email was sent. Copy the link and hand it over.", "No email was sent."
    ago = _ago(message.sent_at)
    if transport().is_local:
        return f"The email went to the outbox {ago}. No mail server is set.", f"Written {ago}."
    seen = "Only a mail scanner has opened" if invitation.checked_at else "Nobody has opened"
    return f"The email was delivered {ago}. {seen} the link yet.", f"Delivered {ago}, not opened."


WORDS: dict[StatusReason, Callable[[Invitation], tuple[str, str]]] = {
    StatusReason.ACCEPTED: _accepted,
    StatusReason.DECLINED: _declined,
    StatusReason.REVOKED: _revoked,
    StatusReason.ASKS_AGAIN: _asks_again,
    StatusReason.EXPIRED: _expired,
    StatusReason.INVITER_LOST_RIGHT: _inviter_lost_right,
    StatusReason.ROLE_GONE: _role_gone,
    StatusReason.DOMAIN_NOT_ALLOWED: _domain_not_allowed,
    StatusReason.NO_SEAT: _no_seat,
    StatusReason.NOT_DELIVERED: _not_delivered,
    StatusReason.SENDING: _sending,
    StatusReason.WRONG_ACCOUNT: _wrong_account,
    StatusReason.OPENED_ENDS_SOON: _opened_ends_soon,
    StatusReason.OPENED: _opened,
    StatusReason.DELIVERED: _delivered,
}


def _ended_on(invitation: Invitation) -> str:
    return f"The invitation ended on {dates.day(invitation.expires_at)}."


def _ago(moment: datetime | None) -> str:
    """'12 minutes ago', in full words, for sentences."""
    passed = now() - moment if moment else timedelta()
    for unit, word in ((dates.DAY, "day"), (dates.HOUR, "hour"), (dates.MINUTE, "minute")):
        if count := passed // unit:
            return f"{count} {word}{'s' if count != 1 else ''} ago"
    return "just now"
