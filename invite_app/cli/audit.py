"""flask audit: the record of what was done, also in organizations that were deleted."""

from collections.abc import Iterator
from uuid import UUID

import click

from invite_app.errors import OrganizationNotFound
from invite_app.models import AuditEvent
from invite_app.services import audit, organizations

from .commands import OPERATOR, Commands
from .output import Facts, Result

group = Commands("audit", help="Export what was done in an organization.")


@group.command("export")
@click.argument("organization")
def export(organization: str) -> Result:
    """Show every event, newest first. A deleted organization is found by its id, slug or name for a year."""
    return Result(map(_summary, _events(organization)))


def _events(organization: str) -> Iterator[AuditEvent]:
    try:
        organization_id = organizations.get(organizations.resolve_id(organization), by=OPERATOR).id
    except OrganizationNotFound:
        return audit.events_of_deleted(_deleted_id(organization), by=OPERATOR)
    return audit.export(organization_id, by=OPERATOR)


def _deleted_id(organization: str) -> UUID:
    """Raises OrganizationNotFound."""
    found = audit.find_deleted_organizations(organization)
    if not found:
        raise OrganizationNotFound
    if len(found) > 1:
        ids = ", ".join(f"{one.id} (deleted {one.deleted_at:%Y-%m-%d})" for one in found)
        raise click.ClickException(f"Several deleted organizations are called so. Name one by its id: {ids}")
    return found[0].id


def _summary(event: AuditEvent) -> Facts:
    return {
        "at": event.at,
        "action": event.action,
        "actor": event.actor_name,
        "actor_kind": event.actor_kind,
        "actor_id": event.actor_id,
        "target": event.target_name,
        "target_kind": event.target_kind,
        "target_id": event.target_id,
        "ip": event.ip,
        "before": event.before,
        "after": event.after,
        "id": event.id,
    }
