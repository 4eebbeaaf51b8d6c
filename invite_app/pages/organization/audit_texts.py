"""Texts of the audit log: a sentence for each action, and the changed values in words."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from invite_app.models import AuditEvent
from invite_app.pages.shared import dates, permission_texts

AREAS: dict[str, dict[str, str]] = {
    "Invitations": {
        "invitation.sent": "Invited {}",
        "invitation.resent": "Sent the invitation of {} again",
        "invitation.extended": "Extended the invitation of {}",
        "invitation.changed": "Changed the invitation of {}",
        "invitation.link_copied": "Copied the link of {}",
        "invitation.link_viewed": "Viewed the email of {} in the outbox",
        "invitation.taken_over": "Took over the invitation of {}",
        "invitation.revoked": "Revoked the invitation of {}",
        "invitation.accepted": "{} accepted",
        "invitation.declined": "{} declined",
        "invitation.delivery_failed": "The invitation of {} was not delivered",
        "message.retried": "Tried to deliver to {} again",
    },
    "Members": {
        "member.added": "Added {}",
        "member.role_changed": "Changed the role of {}",
        "member.workspaces_changed": "Changed the workspaces of {}",
        "member.metadata_changed": "Changed the metadata of {}",
        "member.removed": "Removed {}",
        "member.left": "{} left",
        "ownership.offered": "Offered {} to become owner",
        "ownership.declined": "{} turned the offer to become owner down, or took it back",
        "ownership.ended": "Ended the offer to {} to become owner",
    },
    "Workspaces and roles": {
        "workspace.created": "Made the workspace {}",
        "workspace.renamed": "Renamed the workspace {}",
        "workspace.deleted": "Deleted the workspace {}",
        "role.created": "Made the role {}",
        "role.changed": "Changed the role {}",
        "role.deleted": "Deleted the role {}",
    },
    "Organization": {
        "organization.created": "Made the organization {}",
        "organization.changed": "Changed the settings of {}",
        "api_key.created": "Made the API key {}",
        "api_key.revoked": "Revoked the API key {}",
    },
}
SENTENCES = {action: sentence for actions in AREAS.values() for action, sentence in actions.items()}
# Choices of the filter, by area.
OPTIONS = {
    area: {action: sentence.format("…").removeprefix("… ").capitalize() for action, sentence in actions.items()}
    for area, actions in AREAS.items()
}

LABELS = {
    "email": "Address",
    "ends": "End",
    "allowed_origins": "Redirect origins",
    "allowed_domains": "Email domains",
}
KINDS = {"api_key": "API key", "server": "", "person": "", "operator": "Command line", "invitee": "Invited"}


@dataclass(frozen=True)
class Change:
    """A value that changed. `before` or `after` is empty when there was or is none."""

    label: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.label}: {' → '.join(filter(None, (self.before, self.after)))}"


def sentence(event: AuditEvent) -> str:
    return SENTENCES.get(event.action, f"{_plain(event.action)} {{}}").format(event.target_name)


def actor(event: AuditEvent) -> str:
    """Return the kind of actor, if it is no person, and its network address."""
    return " · ".join(filter(None, (KINDS.get(event.actor_kind, ""), event.ip)))


def changes(event: AuditEvent) -> list[Change]:
    return list(_changes(event.before, event.after))


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in dict.fromkeys((*before, *after)):
        was, became = (_said(name, side[name]) if name in side else "" for side in (before, after))
        if was != became:
            yield Change(LABELS.get(name, _plain(name)), was, became)


def _said(name: str, value: Any) -> str:
    """Whatever an earlier version or an interface wrote down is shown, if only as it stands."""
    try:
        return _WRITERS.get(name, _listed)(value)
    except (TypeError, ValueError, KeyError):
        return str(value)


def _listed(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in (None, "") else str(value)


def _plain(name: str) -> str:
    return name.replace(".", " ").replace("_", " ").capitalize()


_WRITERS: dict[str, Callable[[Any], str]] = {
    "permissions": lambda names: (
        permission_texts.join_words([permission_texts.CAN[name] for name in names]) or "none"
    ),
    "invitation_lifetime": lambda seconds: dates.duration(timedelta(seconds=seconds)),
    "seat_limit": lambda limit: "no limit" if limit is None else f"{limit:,}",
    "ends": lambda moment: dates.day_and_time(datetime.fromisoformat(moment)),
}
