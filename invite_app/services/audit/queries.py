"""Read the audit log: a page of it, its latest events, all of it for an export."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute

from invite_app.access import Actor, OperatorActor, Principal, authorize
from invite_app.db import session
from invite_app.errors import OrganizationNotFound
from invite_app.models import AuditEvent
from invite_app.services import pagination, search

from . import retention


@dataclass(frozen=True)
class Filter:
    """A filter for events; empty fields are ignored."""

    actor: str = ""
    action: str = ""
    target: str = ""
    since: datetime | None = None
    until: datetime | None = None


NO_FILTERS = Filter()
NEWEST: pagination.Order[AuditEvent] = pagination.Order(
    (AuditEvent.at, AuditEvent.id), lambda row: (row.at, row.id), descending=True
)


def list_page(
    organization_id: UUID | str,
    *,
    by: Actor,
    only: Filter = NO_FILTERS,
    cursor: str | None = None,
    limit: int = 25,
) -> pagination.Page[AuditEvent]:
    """List the events of an organization, newest first. `total` is not counted: the log only grows."""
    principal = authorize(by, organization_id, "audit:read")
    place = pagination.page_request(cursor, NEWEST, limit)
    return search.fetch_page(select(AuditEvent), _narrow(principal.organization.id, only), place, total=0)


def list_page_of_deleted(
    organization_id: UUID, *, by: Actor, cursor: str | None = None, limit: int = 25
) -> pagination.Page[AuditEvent]:
    """Return what was done in a deleted organization, newest first; for the operator only."""
    check_operator(by)
    place = pagination.page_request(cursor, NEWEST, limit)
    return search.fetch_page(select(AuditEvent), _narrow(organization_id, NO_FILTERS), place, total=0)


def check_operator(actor: Actor) -> None:
    """Raises OrganizationNotFound for everybody else: a deleted organization has no members."""
    if not isinstance(actor, OperatorActor):
        raise OrganizationNotFound


def list_latest(principal: Principal, limit: int) -> list[AuditEvent]:
    """The newest events. Raises PermissionDenied."""
    principal.check_can("audit:read")
    here = AuditEvent.organization_id == principal.organization.id
    return list(
        session().scalars(
            select(AuditEvent).where(here).order_by(AuditEvent.at.desc(), AuditEvent.id.desc()).limit(limit)
        )
    )


def _narrow(organization_id: UUID, only: Filter) -> search.FilteredList:
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
    return search.FilteredList(select(AuditEvent), AuditEvent.id, equals, conditions, tests=tests)


def _is_action(organization_id: UUID, action: str) -> search.Test:
    """The action itself, or a whole area of them: `invitation.`."""
    wanted = [name for name in _actions(organization_id) if name.startswith(action)]
    source = select(AuditEvent.id).where(AuditEvent.organization_id == organization_id, AuditEvent.action.in_(wanted))
    return search.Test(AuditEvent.action, lambda column: [column.in_(wanted)], source)


def _actions(organization_id: UUID) -> list[str]:
    """Return the distinct actions in the log, with one index lookup per action instead of a full scan."""
    lowest = select(func.min(AuditEvent.action).label("action"))
    lowest = lowest.where(AuditEvent.organization_id == organization_id)
    found = lowest.cte("actions", recursive=True)
    following = lowest.where(AuditEvent.action > found.c.action).scalar_subquery()
    found = found.union_all(select(following).where(found.c.action.is_not(None)))
    return list(session().scalars(select(found.c.action).where(found.c.action.is_not(None))))


def export(organization_id: UUID | str, *, by: Actor, only: Filter = NO_FILTERS) -> Iterator[AuditEvent]:
    """Yield the events that match the filter, newest first.

    Events are read in pages. Between pages no rows and no database connection are held, so slow readers are safe.
    Each page checks the permission again.
    """
    return _all(partial(list_page, organization_id, by=by, only=only))


def events_of_deleted(organization_id: UUID, *, by: Actor) -> Iterator[AuditEvent]:
    """Return every event of a deleted organization in the same way, from its deletion on; for the operator only."""
    check_operator(by)
    events = _all(partial(list_page_of_deleted, organization_id, by=by))
    return chain(retention.deletions_of(organization_id), events)


def _all(read: Callable[..., pagination.Page[AuditEvent]]) -> Iterator[AuditEvent]:
    cursor = None
    while True:
        page = read(cursor=cursor, limit=pagination.MAX_LIMIT)
        session().commit()
        session().expunge_all()
        yield from page.items
        if page.next is None:
            return
        cursor = page.next
