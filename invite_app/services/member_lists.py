"""Looking at members: one, a page of them, and what a person belongs to."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, contains_eager, joinedload, selectinload

from invite_app import ids
from invite_app.access import Actor, Standing, authorize
from invite_app.db import session
from invite_app.errors import MembershipUnknown
from invite_app.models import Membership, User, Workspace, membership_workspaces

from . import member_found, pagination, roles, search, validation

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

_ONE = select(Membership).where(
    Membership.organization_id == bindparam("organization_id"), Membership.user_id == bindparam("user_id")
)


@dataclass(frozen=True)
class Filter:
    """Which members to list; what is left empty does not narrow the list.

    Ids, addresses and roles that nobody has, or nobody can have, find nobody. `account_since` and `account_until`
    look at when the person got an account.
    """

    user_ids: Collection[UUID | str] = ()
    without_user_ids: Collection[UUID | str] = ()
    emails: Collection[str] = ()
    roles: Collection[str] = ()
    workspace_id: UUID | None = None
    fragment: str = ""
    email_fragment: str = ""
    name_fragment: str = ""
    account_since: datetime | None = None
    account_until: datetime | None = None

    @property
    def given(self) -> list[str]:
        """The names of what narrows the list."""
        return [name for name, value in vars(self).items() if value]


EVERYBODY = Filter()


def list_page(
    organization_id: UUID | str,
    *,
    by: Actor,
    only: Filter = EVERYBODY,
    order: pagination.Order[Membership] = BY_NAME,
    cursor: str | None = None,
    before: UUID | None = None,
    after: UUID | None = None,
    offset: int = 0,
    limit: int = 25,
    exact: bool = False,
) -> pagination.Page[Membership]:
    """Members by name, with person, role and workspaces.

    `before` and `after` name a member instead of a cursor. The total of a narrowed list may be no exact one, unless
    it has to be. Raises MembershipUnknown for a member that is not there.
    """
    standing = authorize(by, organization_id, "members:read")
    if edge := before or after:
        cursor = pagination.beside(order, find_in(standing.organization.id, edge), backward=edge == before)
    return page_of(standing, only=only, order=order, cursor=cursor, offset=offset, limit=limit, exact=exact)


def page_of(
    standing: Standing,
    *,
    only: Filter,
    order: pagination.Order[Membership] = BY_NAME,
    cursor: str | None = None,
    offset: int = 0,
    limit: int = 25,
    exact: bool = False,
) -> pagination.Page[Membership]:
    """The same for callers that have read the standing. Raises PermissionMissing."""
    standing.check_may("members:read")
    here, place = standing.organization, pagination.place(cursor, order, limit)
    if not only.given:
        query = complete().where(Membership.organization_id == here.id)
        return pagination.fetch(query, order, total=here.members_count, cursor=cursor, offset=offset, limit=limit)
    is_plain = order.columns[0].class_ is Membership and not (offset or exact)
    if only.given == ["fragment"] and is_plain and (page := _found(here.id, only.fragment, place)):
        return page
    narrow, known = narrowed(here.id, only, order), None if exact else known_total(here.id, only)
    return search.fetch_page(complete(), narrow, place, total=known, offset=offset, exact=exact)


def _found(
    organization_id: UUID, fragment: str, place: pagination.Place[Membership]
) -> pagination.Page[Membership] | None:
    """The page of a search; None where it has to be read in another way."""
    if (found := member_found.ids_of(organization_id, fragment, place)) is None:
        return None
    ids, number = found
    rows = session().scalars(place.sorted(complete().where(Membership.id.in_(ids)))) if ids else ()
    return place.page(list(rows), number)


def list_all(organization_id: UUID | str, *, by: Actor) -> list[Membership]:
    """Every member by name, with person and role but without workspaces: for wire formats that know no pages."""
    standing = authorize(by, organization_id, "members:read")
    query = (
        select(Membership)
        .options(joinedload(Membership.user, innerjoin=True), joinedload(Membership.role, innerjoin=True))
        .where(Membership.organization_id == standing.organization.id)
        .order_by(*BY_NAME.columns)
    )
    return list(session().scalars(query))


def everybody(standing: Standing, only: Filter) -> list[Membership]:
    """Everybody whom the filter lets through, by name, for callers that know that they may be seen."""
    fitting = narrowed(standing.organization.id, only, BY_NAME).fitting
    return list(session().scalars(complete().where(Membership.id.in_(fitting)).order_by(*BY_NAME.columns)))


def get(organization_id: UUID | str, user_id: UUID | str, *, by: Actor) -> Membership:
    """One member with person, role and workspaces. Raises MembershipUnknown."""
    standing = authorize(by, organization_id, "members:read")
    return find_in(standing.organization.id, user_id)


def get_own(organization_id: UUID | str, *, by: Actor) -> Membership:
    """The place of the actor, or of the person a key acts for, with role and workspaces; whatever it allows."""
    standing = authorize(by, organization_id)
    if standing.user is None:
        raise MembershipUnknown("operator")
    return find_in(standing.organization.id, standing.user.id)


def memberships_of(user_id: UUID) -> list[Membership]:
    """What a person belongs to, with role and workspaces."""
    return list(session().scalars(complete().where(Membership.user_id == user_id)))


def find(organization_id: UUID, user_id: UUID) -> Membership | None:
    """The membership itself, for services that are inside their transaction."""
    found: Membership | None = session().scalar(_ONE, {"organization_id": organization_id, "user_id": user_id})
    return found


def find_in(organization_id: UUID, user_id: UUID | str) -> Membership:
    """The member, complete, for services that know the organization. Raises MembershipUnknown."""
    wanted = ids.parse(user_id, MembershipUnknown(str(user_id)))
    query = complete().where(Membership.organization_id == organization_id, Membership.user_id == wanted)
    membership: Membership | None = session().scalar(query)
    if membership is None:
        raise MembershipUnknown(str(user_id))
    return membership


def complete() -> Select[Membership]:
    """Members with everything an interface shows of one."""
    return (
        select(Membership)
        .join(Membership.user)
        .options(
            contains_eager(Membership.user),
            joinedload(Membership.organization, innerjoin=True),
            joinedload(Membership.role, innerjoin=True),
            selectinload(Membership.workspaces),
        )
    )


def narrowed(organization_id: UUID, only: Filter, order: pagination.Order[Membership]) -> search.Narrow:
    """What the filter narrows the list to, for services that read it in their own way."""
    equals: dict[InstrumentedAttribute[Any], Any] = {Membership.organization_id: organization_id}
    conditions, tests = _conditions(only), _searches(organization_id, only)
    if only.roles:
        found = list(session().scalars(roles.ids_called(organization_id, only.roles)))
        if len(found) == 1:
            equals[Membership.role_id] = found[0]
        else:
            conditions.append(Membership.role_id.in_(found))
    if only.workspace_id is not None:
        tests.insert(0, _in_workspace(only.workspace_id))
    of_person = (only.emails, only.account_since, only.account_until, only.email_fragment, only.name_fragment)
    needs_person = any(of_person) or order.columns[0].class_ is User
    rows = select(Membership).join(Membership.user) if needs_person else select(Membership)
    return search.Narrow(rows, Membership.id, equals, conditions, tests=tests)


def known_total(organization_id: UUID, only: Filter) -> pagination.Count | None:
    """What an index alone tells where nothing but a workspace narrows the list, without a look at the members."""
    if only.given != ["workspace_id"]:
        return None
    here = select(Workspace.id).where(Workspace.id == only.workspace_id, Workspace.organization_id == organization_id)
    links = select(membership_workspaces.c.membership_id).where(membership_workspaces.c.workspace_id.in_(here))
    number = select(func.count()).select_from(links.limit(search.CAP + 1).subquery())
    return pagination.Count(session().scalar(number) or 0, search.CAP)


def _searches(organization_id: UUID, only: Filter) -> list[search.Test]:
    name = func.substr(Membership.sort_name, 1, func.length(Membership.sort_name) - func.length(User.email))
    parts = (
        (only.fragment, Membership.sort_name),
        (only.email_fragment, User.email),
        (only.name_fragment, name),
    )
    return [
        words.test(organization_id, column)
        for part, column in parts
        if (words := search.search_terms(Membership, part))
    ]


def _in_workspace(workspace_id: UUID) -> search.Test:
    links = membership_workspaces.c

    def is_in(membership_id: search.Column) -> list[ColumnElement[bool]]:
        return [exists().where(links.membership_id == membership_id, links.workspace_id == workspace_id)]

    ids_there = select(links.membership_id).where(links.workspace_id == workspace_id)
    return search.Test(Membership.id, is_in, ids_there)


def _conditions(only: Filter) -> list[ColumnElement[bool]]:
    conditions: list[Any] = []
    if only.user_ids:
        conditions.append(Membership.user_id.in_(ids.readable(only.user_ids)))
    if only.without_user_ids:
        conditions.append(Membership.user_id.not_in(ids.readable(only.without_user_ids)))
    if only.emails:
        conditions.append(User.email.in_(validation.readable_emails(only.emails)))
    if only.account_since is not None:
        conditions.append(User.created_at > only.account_since)
    if only.account_until is not None:
        conditions.append(User.created_at < only.account_until)
    return conditions
