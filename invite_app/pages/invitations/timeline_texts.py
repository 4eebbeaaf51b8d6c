"""Texts of the timeline of an invitation, and of the latest events of an organization."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from invite_app.models import AuditEvent, DeliveryState, Invitation, InvitationState, TrackingEvent
from invite_app.pages.shared import dates
from invite_app.services.timeline import Entry

Detail = dict[str, Any]


@dataclass(frozen=True)
class Line:
    icon: str
    kind: str
    title: str
    detail: str = ""
    at: Markup | None = None
    future: bool = False


INVITATION_WORDS: dict[str, tuple[str, str, str]] = {
    "invitation.sent": ("send", "wait", "Invited by {actor}"),
    "invitation.resent": ("send", "wait", "Sent again by {actor}"),
    "invitation.revoked": ("ban", "off", "Revoked by {actor}"),
    "invitation.accepted": ("circle-check", "ok", "Accepted by {actor}"),
    "invitation.declined": ("hand-stop", "plum", "Declined by {actor}"),
    "invitation.extended": ("calendar-plus", "wait", "Extended by {actor}"),
    "invitation.changed": ("pencil", "off", "Changed by {actor}"),
    "invitation.taken_over": ("user-share", "off", "Taken over by {actor}"),
    "invitation.link_copied": ("copy", "off", "Link copied by {actor}"),
    "invitation.link_viewed": ("mail-opened", "off", "Email viewed in the outbox by {actor}"),
    "invitation.delivery_failed": ("alert-circle", "bad", "Not delivered"),
    "message.retried": ("refresh", "wait", "Tried again by {actor}"),
    TrackingEvent.TAKEN: ("circle-check", "ok", "Taken by the mail server"),
    TrackingEvent.NOT_DELIVERED: ("alert-circle", "bad", "Not delivered"),
    TrackingEvent.POSTPONED: ("stack-2", "off", "Waits for the mail server"),
    TrackingEvent.CHECKED: ("robot", "off", "Link checked by a machine"),
    TrackingEvent.OPENED: ("eye", "wait", "Page opened by a person"),
    TrackingEvent.WRONG_ACCOUNT: ("user-question", "warn", "Opened with another account"),
    TrackingEvent.NO_SEAT: ("armchair", "warn", "Accepting failed for want of a seat"),
    TrackingEvent.ASKED: ("hand-stop", "warn", "Asked for a fresh one"),
}
LATEST_WORDS: dict[str, tuple[str, str, str]] = {
    "invitation.sent": ("send", "wait", "{actor} invited {target}"),
    "invitation.resent": ("send", "wait", "{actor} sent the invitation of {target} again"),
    "invitation.revoked": ("ban", "off", "{actor} revoked the invitation of {target}"),
    "invitation.accepted": ("circle-check", "ok", "{target} joined"),
    "invitation.declined": ("hand-stop", "plum", "{target} declined"),
    "invitation.extended": ("calendar-plus", "wait", "{actor} extended the invitation of {target}"),
    "invitation.changed": ("pencil", "off", "{actor} changed the invitation of {target}"),
    "invitation.taken_over": ("user-share", "off", "{actor} took over the invitation of {target}"),
    "invitation.link_copied": ("copy", "off", "{actor} copied the link of {target}"),
    "invitation.link_viewed": ("mail-opened", "off", "{actor} viewed the email of {target} in the outbox"),
    "invitation.delivery_failed": ("alert-circle", "bad", "The invitation of {target} was not delivered"),
    "member.removed": ("user-minus", "off", "{actor} removed {target}"),
    "member.left": ("logout", "off", "{target} left"),
    "member.role_changed": ("shield-check", "off", "{actor} changed the role of {target}"),
    "member.added": ("user-plus", "ok", "{actor} added {target}"),
    "member.workspaces_changed": ("folders", "off", "{actor} changed the workspaces of {target}"),
    "member.metadata_changed": ("pencil", "off", "{actor} changed the metadata of {target}"),
    "ownership.offered": ("crown", "wait", "{actor} offered {target} to become owner"),
    "ownership.declined": ("crown", "off", "The offer to {target} to become owner was turned down"),
    "ownership.ended": ("crown", "off", "The offer to {target} to become owner ended"),
    "workspace.created": ("folders", "off", "{actor} made the workspace {target}"),
    "workspace.renamed": ("folders", "off", "{actor} renamed the workspace {target}"),
    "workspace.deleted": ("folders", "off", "{actor} deleted the workspace {target}"),
    "role.created": ("shield-check", "off", "{actor} made the role {target}"),
    "role.changed": ("shield-check", "off", "{actor} changed the role {target}"),
    "role.deleted": ("shield-check", "off", "{actor} deleted the role {target}"),
    "api_key.created": ("key", "off", "{actor} made the API key {target}"),
    "api_key.revoked": ("key", "off", "{actor} revoked the API key {target}"),
    "message.retried": ("refresh", "wait", "{actor} tried to deliver to {target} again"),
    "organization.created": ("plus", "ok", "{actor} made the organization"),
    "organization.changed": ("settings", "off", "{actor} changed the settings"),
}


def of_invitation(invitation: Invitation, entries: Iterable[Entry], state: InvitationState) -> list[Line]:
    """Newest first, the end that is still to come on top, what waits to be sent below it."""
    return [*_end(invitation, state), *_waiting(invitation, state), *map(_entry, entries)]


def latest_event(events: Iterable[AuditEvent]) -> list[Line]:
    return [_event(event) for event in events]


def _end(invitation: Invitation, state: InvitationState) -> list[Line]:
    if state == InvitationState.PENDING:
        detail = f"{dates.time_until(invitation.expires_at).capitalize()}. The seat is free again then."
        ends = f"Ends on {dates.day_and_time(invitation.expires_at)}"
        return [Line("hourglass", "off", ends, detail, future=True)]
    if state == InvitationState.EXPIRED:
        return [Line("hourglass", "warn", "Ended", at=dates.time_tag(invitation.expires_at))]
    return []


def _waiting(invitation: Invitation, state: InvitationState) -> list[Line]:
    message = invitation.message
    if state != InvitationState.PENDING or message is None or message.state != DeliveryState.QUEUED:
        return []
    detail = f"Next try {dates.time_until(message.next_attempt_at)}." if message.attempts else ""
    return [Line("stack-2", "off", "Waiting to be sent", detail, future=True)]


def _entry(entry: Entry) -> Line:
    otherwise = ("info-circle", "off", entry.kind.replace(".", " ").replace("_", " "))
    icon, kind, sentence = INVITATION_WORDS.get(entry.kind, otherwise)
    say = DETAILS.get(entry.kind, _nothing)
    return Line(icon, kind, sentence.format(actor=entry.actor), say(entry.detail), dates.time_tag(entry.at))


def _event(event: AuditEvent) -> Line:
    action = event.action.replace(".", " ").replace("_", " ")
    otherwise = ("info-circle", "off", "{actor}: {action} {target}")
    icon, kind, sentence = LATEST_WORDS.get(event.action, otherwise)
    title = sentence.format(actor=event.actor_name, target=event.target_name, action=action)
    return Line(icon, kind, title, at=dates.time_tag(event.at))


def _nothing(_: Detail) -> str:
    return ""


def _changes(detail: Detail) -> str:
    before, after = detail.get("before", {}), detail.get("after", {})
    changes = [f"{name}: {_said(before[name])} → {_said(after.get(name))}" for name in before]
    return f"{'; '.join(changes)}." if changes else ""


def _new_end(detail: Detail) -> str:
    ends = detail.get("after", {}).get("ends")
    return f"Works until {dates.day_and_time(datetime.fromisoformat(ends))}." if ends else ""


def _answer(detail: Detail) -> str:
    tries = detail.get("attempts", 1)
    at_try = f" at try {tries}" if tries > 1 else ""
    return f"{detail['answer'].rstrip('.')}{at_try}." if detail.get("answer") else ""


def _reason(detail: Detail) -> str:
    reason = str(detail.get("reason") or detail.get("after", {}).get("reason") or "").rstrip(".")
    return f"{reason[:1].upper()}{reason[1:]}." if reason else ""


def _word(detail: Detail) -> str:
    return f"“{detail['word']}”" if detail.get("word") else ""


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "none"
    return str(value or "none")


DETAILS: dict[str, Callable[[Detail], str]] = {
    "invitation.changed": _changes,
    "invitation.resent": _changes,
    "invitation.taken_over": _changes,
    "invitation.extended": _new_end,
    "invitation.delivery_failed": _reason,
    TrackingEvent.TAKEN: _answer,
    TrackingEvent.NOT_DELIVERED: _reason,
    TrackingEvent.POSTPONED: _reason,
    TrackingEvent.CHECKED: lambda _: "Probably a mail scanner. It does not count as opened.",
    TrackingEvent.WRONG_ACCOUNT: lambda detail: (
        f"Signed in as {detail.get('account', 'somebody else')}. Nothing was used up."
    ),
    TrackingEvent.ASKED: _word,
}
