"""The whole record, for whoever takes it along."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from uuid import UUID

from invite_app.access import Actor
from invite_app.db import session
from invite_app.models import AuditEvent

from . import audit, audit_retention, pagination


def events(organization_id: UUID | str, *, by: Actor, only: audit.Filter = audit.EVERYTHING) -> Iterator[AuditEvent]:
    """Every event that the filter lets through, newest first.

    They are read part by part, and between two parts neither rows nor a database connection are held: whoever
    reads them may take their time. The right to see them is asked for again with each part.
    """
    return _all(partial(audit.list_page, organization_id, by=by, only=only))


def events_of_deleted(organization_id: UUID, *, by: Actor) -> Iterator[AuditEvent]:
    """Return every event of a deleted organization in the same way, from its deletion on; for the operator only."""
    audit.check_operator(by)
    events = _all(partial(audit.list_page_of_deleted, organization_id, by=by))
    return chain(audit_retention.deletions_of(organization_id), events)


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
