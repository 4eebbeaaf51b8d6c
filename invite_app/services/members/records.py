"""Pages of members as plain rows for APIs, without the cost of building model objects."""

from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Dialect, String, TypeDecorator, bindparam, cast, select, type_coerce

from invite_app import ids
from invite_app.access import Actor, authorize
from invite_app.db.reading import Question, Reader
from invite_app.errors import OrganizationNotFound
from invite_app.models import Membership, Role, User, Workspace, membership_workspaces
from invite_app.models.engines import joined
from invite_app.services import pagination, search

from . import search_plan
from .filters import NO_FILTERS, Filter, narrowed
from .lists import BY_NAME, indexed_total

Place = pagination.PageRequest[Any]


class _Ids(TypeDecorator[list[UUID]]):
    """Comma-separated ids, aggregated by the database."""

    impl = String
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> list[UUID]:
        return [UUID(one) for one in value.split(",")] if value else []


_in_order = (
    select(cast(membership_workspaces.c.workspace_id, String).label("id"))
    .join(Workspace, Workspace.id == membership_workspaces.c.workspace_id)
    .where(membership_workspaces.c.membership_id == Membership.id)
    .order_by(Workspace.folded_name)
    .correlate(Membership)
    .subquery()
)
_gathered = select(joined(_in_order.c.id)).scalar_subquery()
_LINES: Any = (
    select(
        Membership.id,
        Membership.sort_name,
        Membership.created_at,
        Membership.user_id,
        User.email,
        User.given_name,
        User.family_name,
        Role.key.label("role"),
        type_coerce(_gathered, _Ids).label("workspace_ids"),
    )
    .join(User, User.id == Membership.user_id)
    .join(Role, Role.id == Membership.role_id)
)


class MemberRow(NamedTuple):
    """The columns of a member; workspaces are ordered by name, None without any."""

    id: UUID
    sort_name: str
    created_at: datetime
    user_id: UUID
    email: str
    given_name: str
    family_name: str
    role: str
    workspace_ids: list[UUID] | None


def list_rows(
    organization_id: UUID | str, *, by: Actor, only: Filter = NO_FILTERS, cursor: str | None = None, limit: int = 25
) -> pagination.Page[MemberRow]:
    """Return a page of members by name. A large total of a filtered list is capped."""
    here = ids.parse_id(organization_id, OrganizationNotFound())
    place: Place = pagination.page_request(cursor, BY_NAME, limit)
    asked = _question(here, only, place)
    principal = authorize(by, here, "members:read", prefetch=[asked] if asked else ())
    if asked and not only.given:
        everybody = [MemberRow(*row) for row in asked.rows or ()]
        return place.page(everybody, principal.organization.members_count)
    if asked and (found := search_plan.read(asked)):
        lines, number = found
        return place.page([MemberRow(*line) for line in lines], number)
    narrow, total = narrowed(here, only, BY_NAME), indexed_total(here, only)
    return search.fetch_page(_LINES, narrow, place, MemberRow._make, total=total)


def _question(here: UUID, only: Filter, place: Place) -> Question | None:
    """Return the single query for this page, or None when it takes several."""
    if only.given == ["fragment"]:
        return search_plan.question(_LINES, here, only.fragment, place)
    if only.given:
        return None
    return _all(bool(place.position), place.backward).question(organization_id=here, **place.values)


@cache
def _all(has_position: bool, backward: bool) -> Reader:
    """Return the query for an unfiltered page, cached because building it is slow."""
    of_all = _LINES.where(Membership.organization_id == bindparam("organization_id"))
    return Reader(pagination.page_parameters(BY_NAME, has_position, backward).of(of_all))
