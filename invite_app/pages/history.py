"""What happened to an invitation, and in an organization, as lines of a timeline."""

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from invite_app.models import AuditEvent, Invitation, InvitationState

from . import times


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
    "invitation.delivery_failed": ("alert-circle", "bad", "Not delivered"),
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
    "invitation.delivery_failed": ("alert-circle", "bad", "The invitation of {target} was not delivered"),
    "member.removed": ("user-minus", "off", "{actor} removed {target}"),
    "member.left": ("logout", "off", "{target} left"),
    "member.role_changed": ("shield-check", "off", "{actor} changed the role of {target}"),
    "workspace.created": ("folders", "off", "{actor} made the workspace {target}"),
    "workspace.deleted": ("folders", "off", "{actor} deleted the workspace {target}"),
    "organization.created": ("plus", "ok", "{actor} made the organization"),
}


def of_invitation(invitation: Invitation, events: Iterable[AuditEvent], state: InvitationState) -> list[Line]:
    """Newest first, the end that is still to come on top."""
    lines = [_line(event, INVITATION_WORDS, "{action}") for event in events]
    if state == InvitationState.PENDING:
        detail = f"{times.until(invitation.expires_at).capitalize()}. The seat is free again then."
        ends = f"Ends on {times.day_and_time(invitation.expires_at)}"
        lines.insert(0, Line("hourglass", "off", ends, detail, future=True))
    elif state == InvitationState.EXPIRED:
        lines.insert(0, Line("hourglass", "warn", "Ended", at=times.tag(invitation.expires_at)))
    return lines


def latest(events: Iterable[AuditEvent]) -> list[Line]:
    return [_line(event, LATEST_WORDS, "{actor}: {action} {target}") for event in events]


def _line(event: AuditEvent, words: dict[str, tuple[str, str, str]], otherwise: str) -> Line:
    action = event.action.replace(".", " ").replace("_", " ")
    icon, kind, sentence = words.get(event.action, ("info-circle", "off", otherwise))
    title = sentence.format(actor=event.actor_name, target=event.target_name, action=action)
    return Line(icon, kind, title, _detail(event), times.tag(event.at))


def _detail(event: AuditEvent) -> str:
    changes = [f"{name}: {_said(event.before[name])} → {_said(event.after.get(name))}" for name in event.before]
    if event.action == "invitation.changed" and changes:
        return f"{'; '.join(changes)}."
    return ""


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "none"
    return str(value or "none")
