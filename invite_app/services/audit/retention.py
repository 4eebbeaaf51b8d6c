"""The audit logs of deleted organizations: found by the operator, and deleted after a year."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import aliased

from invite_app.db import session
from invite_app.models import AuditEvent

# Counted from the deletion of the organization.
LIFETIME = timedelta(days=365)


@dataclass(frozen=True)
class DeletedOrganization:
    """An organization whose audit log is still kept."""

    id: UUID
    name: str
    slug: str
    deleted_at: datetime


def find_deleted_organizations(wanted: str) -> list[DeletedOrganization]:
    """Return the deleted organizations with this id, slug or name, the latest first."""
    rows = session().execute(
        select(AuditEvent.target_id, AuditEvent.target_name, AuditEvent.before, AuditEvent.at)
        .where(*_is_deletion(AuditEvent))
        .order_by(AuditEvent.at.desc())
    )
    known = [
        DeletedOrganization(organization_id, name, before.get("slug", ""), at)
        for organization_id, name, before, at in rows
        if organization_id is not None
    ]
    return [one for one in known if wanted.lower() in (str(one.id), one.slug) or wanted == one.name]


def deletions_of(organization_id: UUID) -> list[AuditEvent]:
    """Return the event of the organization's deletion, the last one of its log."""
    query = select(AuditEvent).where(*_is_deletion(AuditEvent), AuditEvent.target_id == organization_id)
    return list(session().scalars(query))


def expired_conditions(moment: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return two conditions for events to delete: those of organizations deleted long ago, then the deletions."""
    deletion_event, other = aliased(AuditEvent), aliased(AuditEvent)
    is_old = moment - LIFETIME
    deleted = select(deletion_event.target_id).where(*_is_deletion(deletion_event), deletion_event.at <= is_old)
    is_empty = ~exists().where(other.organization_id == AuditEvent.target_id)
    deletion: Any = _is_deletion(AuditEvent)
    return (
        AuditEvent.organization_id.in_(deleted),
        deletion[0] & deletion[1] & (AuditEvent.at <= is_old) & is_empty,
    )


def _is_deletion(model: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Select deletions by the index on organization and time: these events belong to no organization."""
    return model.organization_id.is_(None), model.action == "organization.deleted"
