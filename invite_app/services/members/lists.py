"""List and export members."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from invite_app.access import Actor, Principal, authorize
from invite_app.db import session
from invite_app.models import Membership, User, Workspace, membership_workspaces
from invite_app.services import pagination, search

from . import filters, queries, search_plan
from .filters import NO_FILTERS, Filter

BY_NAME: pagination.Order[Membership] = pagination.Order(
    (Membership.sort_name, Membership.id), lambda row: (row.sort_name, row.id)
)
NEWEST: pagination.Order[Membership] = pagination.Order(
    (Membership.created_at, Membership.id), lambda row: (row.created_at, row.id), descending=True
)
OLDEST: pagination.Order[Membership] = pagination.Order(NEWEST.columns, NEWEST.values)
BY_EMAIL: pagination.Order[Membership] = pagination.Order(
    (User.email, Membership.id), lambda row: (row.user.email, row.id)
)
BY_FAMILY_NAME: pagination.Order[Membership] = pagination.Order(
    (User.family_name, Membership.id), lambda row: (row.user.family_name, row.id)
)


def list_page(
    organization_id: UUID | str,
    *,
    by: Actor,
    only: Filter = NO_FILTERS,
    order: pagination.Order[Membership] = BY_NAME,
    cursor: str | None = None,
    before: UUID | None = None,
    after: UUID | None = None,
    offset: int = 0,
    limit: int = 25,
    exact: bool = False,
) -> pagination.Page[Membership]:
    """Return a page of members with user, role and workspaces.

    `before` and `after` are members at the edge of the page, instead of a cursor. Unless `exact`, a large total of a
    filtered list is capped. Raises MembershipNotFound for an unknown edge.
    """
    principal = authorize(by, organization_id, "members:read")
    if edge := before or after:
        cursor = pagination.cursor_at(order, queries.get_in(principal.organization.id, edge), backward=edge == before)
    return page_for(principal, only=only, order=order, cursor=cursor, offset=offset, limit=limit, exact=exact)


def page_for(
    principal: Principal,
    *,
    only: Filter,
    order: pagination.Order[Membership] = BY_NAME,
    cursor: str | None = None,
    offset: int = 0,
    limit: int = 25,
    exact: bool = False,
) -> pagination.Page[Membership]:
    """Return `list_page` for an authorized principal. Raises PermissionDenied."""
    principal.check_can("members:read")
    here, place = principal.organization, pagination.page_request(cursor, order, limit)
    if not only.given:
        query = queries.complete().where(Membership.organization_id == here.id)
        return pagination.fetch(query, order, total=here.members_count, cursor=cursor, offset=offset, limit=limit)
    is_plain = order.columns[0].class_ is Membership and not (offset or exact)
    if only.given == ["fragment"] and is_plain and (page := _found(here.id, only.fragment, place)):
        return page
    narrow, known = filters.narrowed(here.id, only, order), None if exact else indexed_total(here.id, only)
    return search.fetch_page(queries.complete(), narrow, place, total=known, offset=offset, exact=exact)


def _found(
    organization_id: UUID, fragment: str, place: pagination.PageRequest[Membership]
) -> pagination.Page[Membership] | None:
    """Return a page of a search, or None when the combined query cannot decide."""
    if (found := search_plan.ids_of(organization_id, fragment, place)) is None:
        return None
    ids, number = found
    rows = session().scalars(place.sorted(queries.complete().where(Membership.id.in_(ids)))) if ids else ()
    return place.page(list(rows), number)


def list_all(organization_id: UUID | str, *, by: Actor) -> list[Membership]:
    """Return all members by name, with user and role, for APIs without pagination."""
    principal = authorize(by, organization_id, "members:read")
    query = (
        select(Membership)
        .options(joinedload(Membership.user, innerjoin=True), joinedload(Membership.role, innerjoin=True))
        .where(Membership.organization_id == principal.organization.id)
        .order_by(*BY_NAME.columns)
    )
    return list(session().scalars(query))


def everybody(principal: Principal, only: Filter) -> list[Membership]:
    """Return all matching members by name. The caller has checked permissions."""
    fitting = filters.narrowed(principal.organization.id, only, BY_NAME).fitting
    return list(session().scalars(queries.complete().where(Membership.id.in_(fitting)).order_by(*BY_NAME.columns)))


def indexed_total(organization_id: UUID, only: Filter) -> pagination.CappedCount | None:
    """Count the members of a workspace from its index, when no other filter is set; otherwise return None."""
    if only.given != ["workspace_id"]:
        return None
    here = select(Workspace.id).where(Workspace.id == only.workspace_id, Workspace.organization_id == organization_id)
    links = select(membership_workspaces.c.membership_id).where(membership_workspaces.c.workspace_id.in_(here))
    number = select(func.count()).select_from(links.limit(search.COUNT_CAP + 1).subquery())
    return pagination.CappedCount(session().scalar(number) or 0, search.COUNT_CAP)


def export(
    organization_id: UUID | str,
    *,
    by: Actor,
    only: filters.Filter = filters.NO_FILTERS,
    order: pagination.Order[Membership] = BY_NAME,
) -> Iterator[Membership]:
    """Yield all matching members. Between chunks, no connection is held; each chunk checks permissions again."""
    cursor = None
    while True:
        page = list_page(organization_id, by=by, only=only, order=order, cursor=cursor, limit=pagination.MAX_LIMIT)
        session().commit()
        session().expunge_all()
        yield from page.items
        if page.next is None:
            return
        cursor = page.next
