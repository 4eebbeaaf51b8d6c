"""All members that a filter lets through, for whoever takes them along."""

from collections.abc import Iterator
from uuid import UUID

from invite_app.access import Actor
from invite_app.db import session
from invite_app.models import Membership

from . import member_lists, pagination


def people(
    organization_id: UUID | str,
    *,
    by: Actor,
    only: member_lists.Filter = member_lists.EVERYBODY,
    order: pagination.Order[Membership] = member_lists.BY_NAME,
) -> Iterator[Membership]:
    """Every member, read part by part: between two parts neither rows nor a database connection are held. The right
    to see them is asked for again with each part.
    """
    cursor = None
    while True:
        page = member_lists.list_page(
            organization_id, by=by, only=only, order=order, cursor=cursor, limit=pagination.MAX_LIMIT
        )
        session().commit()
        session().expunge_all()
        yield from page.items
        if page.next is None:
            return
        cursor = page.next
