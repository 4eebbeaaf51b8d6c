"""Pages of members as plain lines: what a program reads of each, without the objects behind it.

Fifty whole members cost 7 ms to read, nearly all of it for making objects; fifty lines 0.5 ms (SQLite, measured).
"""

from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, select

from invite_app import prepared
from invite_app.access import Actor, authorize
from invite_app.db import has_row_locks
from invite_app.models import Membership, Organization, Role, User, Workspace, membership_workspaces

from . import at_once, cursors, narrowing, searching
from .member_lists import BY_NAME, EVERYBODY, Filter, narrowed
from .narrow import Narrow

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
    )
    .join(User, User.id == Membership.user_id)
    .join(Role, Role.id == Membership.role_id)
)


Place = cursors.Place[Any]
MOST_WORDS = 5
"""So that there are few statements."""


class Member(NamedTuple):
    """The columns of a line."""

    id: UUID
    sort_name: str
    created_at: datetime
    user_id: UUID
    email: str
    given_name: str
    family_name: str
    role: str


class Line(NamedTuple):
    """One member, with the workspaces by name."""

    row: Member | Row[Any]
    workspace_ids: list[UUID]


def list_page(
    organization_id: UUID | str, *, by: Actor, only: Filter = EVERYBODY, cursor: str | None = None, limit: int = 25
) -> cursors.Page[Line]:
    """Members by name; the total of a narrowed list may be no exact one."""
    standing = authorize(by, organization_id, "members:read")
    page = _page(standing.organization, only, cursors.place(cursor, BY_NAME, limit))
    places = _workspaces([row.id for row in page.items])
    lines = [Line(row, places.get(row.id, [])) for row in page.items]
    return cursors.Page(lines, page.total, page.next, page.previous)


def _page(organization: Organization, only: Filter, place: Place) -> cursors.Page[Any]:
    given = [name for name, value in vars(only).items() if value]
    if not given:
        return place.page(_everybody(organization.id, place), organization.members_count)
    if given == ["fragment"] and (page := _found(organization.id, only.fragment, place)):
        return page
    return narrowing.fetch(_LINES, narrowed(organization.id, only, BY_NAME), place, are_lines=True)


def _everybody(organization_id: UUID, place: Place) -> list[Member]:
    values = {"organization_id": organization_id, **place.values}
    return [Member(*row) for row in prepared.rows(_all(bool(place.position), place.backward), values)]


@cache
def _all(has_position: bool, backward: bool) -> Select[Any]:
    """Built once for each direction: building it takes as long as running it."""
    of_all = _LINES.where(Membership.organization_id == bindparam("organization_id"))
    return cursors.open_place(BY_NAME, has_position, backward).of(of_all)


def _found(organization_id: UUID, fragment: str, place: Place) -> cursors.Page[Member] | None:
    """The page of a search; None where it has to be read in another way."""
    words = searching.words(Membership, fragment)
    if words is None or len(words.shape) > MOST_WORDS:
        return None
    search = _search(words.shape, bool(place.position), place.backward, has_row_locks())
    rows = prepared.rows(search, {"organization_id": organization_id, **words.values, **place.values})
    if (number := rows[0][0]) is None:
        return None
    return place.page([Member(*row[1:]) for row in rows if row[1]], cursors.Count(number, narrowing.CAP))


@cache
def _search(shape: searching.Shape, has_position: bool, backward: bool, _has_row_locks: bool) -> Select[Any]:
    """For each kind of database, too, as they are searched differently."""
    here = bindparam("organization_id", type_=Membership.organization_id.type)
    test = searching.test_of(Membership, shape)
    narrow = Narrow(select(Membership), Membership.id, {Membership.organization_id: here}, tests=[test])
    return at_once.statement(_LINES, narrow, cursors.open_place(BY_NAME, has_position, backward))


def _workspaces(membership_ids: list[UUID]) -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = {}
    if membership_ids:
        room = 1 << (len(membership_ids) - 1).bit_length()
        filled = [*membership_ids, *membership_ids[:1] * (room - len(membership_ids))]
        ids = {f"id_{number}": one for number, one in enumerate(filled)}
        for membership_id, workspace_id in prepared.rows(_places(room), ids):
            found.setdefault(membership_id, []).append(workspace_id)
    return found


@cache
def _places(room: int) -> Select[Any]:
    """For so many members, a power of two, so that there are few statements; fewer members name one again."""
    links = membership_workspaces.c
    ids = [bindparam(f"id_{number}", type_=links.membership_id.type) for number in range(room)]
    return (
        select(links.membership_id, links.workspace_id)
        .join(Workspace, Workspace.id == links.workspace_id)
        .where(links.membership_id.in_(ids))
        .order_by(Workspace.folded_name)
    )
