"""The whole record, for whoever takes it along."""

from collections.abc import Iterator
from uuid import UUID

from invite_app.access import Actor
from invite_app.db import session
from invite_app.models import AuditEvent

from . import audit, cursors


def events(organization_id: UUID | str, *, by: Actor, only: audit.Filter = audit.EVERYTHING) -> Iterator[AuditEvent]:
    """Every event that the filter lets through, newest first.

    They are read part by part, and between two parts neither rows nor a database connection are held: whoever
    reads them may take their time. The right to see them is asked for again with each part.
    """
    cursor = None
    while True:
        page = audit.list_page(organization_id, by=by, only=only, cursor=cursor, limit=cursors.MAX_LIMIT)
        session().commit()
        session().expunge_all()
        yield from page.items
        if page.next is None:
            return
        cursor = page.next
