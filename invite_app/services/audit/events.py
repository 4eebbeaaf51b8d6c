"""Record in the audit log what was done, and by whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import update

from invite_app.access import ApiKeyActor, Principal, UserActor
from invite_app.db import session
from invite_app.models import ApiKey, AuditEvent, Invitation, Membership, Organization, Role, User, Workspace
from invite_app.models.types import fresh


@dataclass(frozen=True)
class AuditActor:
    """The actor of an event, with the name that the log keeps."""

    kind: str
    id: UUID | None
    name: str
    ip: str | None = None


SERVER = AuditActor("server", None, "The server")


def audit_actor(principal: Principal) -> AuditActor:
    match principal.actor:
        case UserActor(user_id, ip):
            return AuditActor("person", user_id, principal.name, ip)
        case ApiKeyActor(api_key_id, _, ip):
            assert principal.api_key is not None
            return AuditActor("api_key", api_key_id, f"{principal.api_key.name} ({principal.name})"[:254], ip)
        case _:
            return AuditActor("operator", None, principal.name)


def invitee_actor(invitation: Invitation, ip: str | None) -> AuditActor:
    return AuditActor("invitee", None, invitation.name or invitation.email, ip)


Target = Invitation | Membership | Organization | Workspace | Role | ApiKey | User


def record(
    organization_id: UUID | None,
    by: Principal | AuditActor,
    action: str,
    target: Target,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add one event. `before` and `after` hold the values that changed, and never a token, key or password."""
    session().add(new_event(organization_id, by, action, target, before=before, after=after))


def new_event(
    organization_id: UUID | None,
    by: Principal | AuditActor,
    action: str,
    target: Target,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """The event that `record` adds, for a caller who writes it with other rows."""
    who = audit_actor(by) if isinstance(by, Principal) else by
    kind, target_id, name = _describe(target)
    return fresh(
        AuditEvent,
        organization_id=organization_id,
        action=action,
        actor_kind=who.kind,
        actor_id=who.id,
        actor_name=who.name,
        target_kind=kind,
        target_id=target_id,
        target_name=name,
        ip=who.ip,
        before=before or {},
        after=after or {},
    )


def pseudonymize(events: Sequence[dict[str, Any]]) -> None:
    """Overwrite columns of events, each named by its `id`. Only the erasure of a person may do so."""
    session().execute(update(AuditEvent), list(events))


def _describe(target: Target) -> tuple[str, UUID, str]:
    match target:
        case Invitation():
            return "invitation", target.id, target.email
        case User():
            return "person", target.id, target.email
        case Membership():
            return "member", target.user_id, target.user.email
        case _:
            return type(target).__name__.lower(), target.id, target.name
