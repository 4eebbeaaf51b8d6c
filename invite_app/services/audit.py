"""The record of what was done. `record` joins the caller's transaction, so it stands or falls with the deed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import InstrumentedAttribute

from invite_app.access import Actor, KeyActor, OperatorActor, PersonActor, Standing, authorize
from invite_app.db import session
from invite_app.errors import OrganizationUnknown
from invite_app.models import ApiKey, AuditEvent, Invitation, Membership, Organization, Role, User, Workspace
from invite_app.models.base import fresh

from . import pagination, search


@dataclass(frozen=True)
class Author:
    """Who did it, in the words they will be remembered by."""

    kind: str
    id: UUID | None
    name: str
    ip: str | None = None


SERVER = Author("server", None, "The server")


def author(standing: Standing) -> Author:
    match standing.actor:
        case PersonActor(user_id, ip):
            return Author("person", user_id, standing.name, ip)
        case KeyActor(api_key_id, _, ip):
            assert standing.api_key is not None
            return Author("api_key", api_key_id, f"{standing.api_key.name} ({standing.name})"[:254], ip)
        case _:
            return Author("operator", None, standing.name)


def invitee(invitation: Invitation, ip: str | None) -> Author:
    return Author("invitee", None, invitation.name or invitation.email, ip)


@dataclass(frozen=True)
class Filter:
    """Which events to list; what is left empty does not narrow the list."""

    actor: str = ""
    action: str = ""
    target: str = ""
    since: datetime | None = None
    until: datetime | None = None


EVERYTHING = Filter()
NEWEST: pagination.Order[AuditEvent] = pagination.Order(
    (AuditEvent.at, AuditEvent.id), lambda row: (row.at, row.id), descending=True
)

Target = Invitation | Membership | Organization | Workspace | Role | ApiKey | User


def record(
    organization_id: UUID | None,
    by: Standing | Author,
    action: str,
    target: Target,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add one event. `before` and `after` hold the values that changed, and never a token, key or password."""
    session().add(event(organization_id, by, action, target, before=before, after=after))


def event(
    organization_id: UUID | None,
    by: Standing | Author,
    action: str,
    target: Target,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """The event that `record` adds, for a caller who writes it with other rows."""
    who = author(by) if isinstance(by, Standing) else by
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


def list_page(
    organization_id: UUID | str,
    *,
    by: Actor,
    only: Filter = EVERYTHING,
    cursor: str | None = None,
    limit: int = 25,
) -> pagination.Page[AuditEvent]:
    """What was done in an organization, newest first. `total` is not counted: the log only grows."""
    standing = authorize(by, organization_id, "audit:read")
    place = pagination.place(cursor, NEWEST, limit)
    return search.fetch_page(select(AuditEvent), _narrow(standing.organization.id, only), place, total=0)


def list_page_of_deleted(
    organization_id: UUID, *, by: Actor, cursor: str | None = None, limit: int = 25
) -> pagination.Page[AuditEvent]:
    """Return what was done in a deleted organization, newest first; for the operator only."""
    check_operator(by)
    place = pagination.place(cursor, NEWEST, limit)
    return search.fetch_page(select(AuditEvent), _narrow(organization_id, EVERYTHING), place, total=0)


def check_operator(actor: Actor) -> None:
    """Raises OrganizationUnknown for everybody else: a deleted organization has no members."""
    if not isinstance(actor, OperatorActor):
        raise OrganizationUnknown


def latest(standing: Standing, limit: int) -> list[AuditEvent]:
    """The newest events. Raises PermissionMissing."""
    standing.check_may("audit:read")
    here = AuditEvent.organization_id == standing.organization.id
    return list(
        session().scalars(
            select(AuditEvent).where(here).order_by(AuditEvent.at.desc(), AuditEvent.id.desc()).limit(limit)
        )
    )


def _narrow(organization_id: UUID, only: Filter) -> search.Narrow:
    equals: dict[InstrumentedAttribute[Any], Any] = {AuditEvent.organization_id: organization_id}
    names = ((only.actor, AuditEvent.actor_name), (only.target, AuditEvent.target_name))
    tests = [
        words.test(organization_id, column)
        for name, column in names
        if (words := search.search_terms(AuditEvent, name))
    ]
    if only.action:
        tests.append(_is_action(organization_id, only.action))
    conditions: list[ColumnElement[bool]] = []
    if only.since:
        conditions.append(AuditEvent.at >= only.since)
    if only.until:
        conditions.append(AuditEvent.at < only.until)
    return search.Narrow(select(AuditEvent), AuditEvent.id, equals, conditions, tests=tests)


def _is_action(organization_id: UUID, action: str) -> search.Test:
    """The action itself, or a whole area of them: `invitation.`."""
    wanted = [name for name in _actions(organization_id) if name.startswith(action)]
    source = select(AuditEvent.id).where(AuditEvent.organization_id == organization_id, AuditEvent.action.in_(wanted))
    return search.Test(AuditEvent.action, lambda column: [column.in_(wanted)], source)


def _actions(organization_id: UUID) -> list[str]:
    """What there are events of: one look into the index for each, instead of one for each event."""
    lowest = select(func.min(AuditEvent.action).label("action"))
    lowest = lowest.where(AuditEvent.organization_id == organization_id)
    found = lowest.cte("actions", recursive=True)
    following = lowest.where(AuditEvent.action > found.c.action).scalar_subquery()
    found = found.union_all(select(following).where(found.c.action.is_not(None)))
    return list(session().scalars(select(found.c.action).where(found.c.action.is_not(None))))


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
