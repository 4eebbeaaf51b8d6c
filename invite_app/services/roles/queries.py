"""Read roles, also with how many members, invitations and keys have each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select

from invite_app.access import Actor, authorize
from invite_app.db import session
from invite_app.errors import RoleNotFound
from invite_app.models import IS_PENDING, ApiKey, Invitation, Membership, Role
from invite_app.models.types import casefolded, now
from invite_app.services import pagination, validation

NEWEST: pagination.Order[Role] = pagination.Order(
    (Role.created_at, Role.id), lambda row: (row.created_at, row.id), descending=True
)
BY_NAME: pagination.Order[Role] = pagination.Order((Role.folded_name, Role.id), lambda row: (row.folded_name, row.id))
BY_KEY: pagination.Order[Role] = pagination.Order((Role.key, Role.id), lambda row: (row.key, row.id))


def list_all(organization_id: UUID | str, *, by: Actor) -> list[Role]:
    """Every role, built-in ones first. Any member may see them."""
    principal = authorize(by, organization_id)
    query = (
        select(Role)
        .where(Role.organization_id == principal.organization.id)
        .order_by(Role.is_built_in.desc(), Role.created_at, Role.id)
    )
    return list(session().scalars(query))


def list_page(
    organization_id: UUID | str,
    *,
    by: Actor,
    fragment: str = "",
    order: pagination.Order[Role] = NEWEST,
    offset: int = 0,
    limit: int = 25,
) -> pagination.Page[Role]:
    """A page of the roles whose name or key holds every word of `fragment`. Any member may see them."""
    principal = authorize(by, organization_id)
    query = select(Role).where(
        Role.organization_id == principal.organization.id,
        *(
            or_(Role.name.icontains(word, autoescape=True), Role.key.icontains(word, autoescape=True))
            for word in validation.words(fragment)
        ),
    )
    total = session().scalar(query.with_only_columns(func.count())) or 0
    return pagination.fetch(query, order, total=total, cursor=None, offset=offset, limit=limit)


def get(organization_id: UUID, name: str) -> Role:
    """The role with this key or name, in any case, with or without the prefix `org:`. Raises RoleNotFound."""
    query = select(Role).where(*_called(organization_id, [name]))
    role: Role | None = session().scalars(query).first()
    if role is None:
        raise RoleNotFound(name)
    return role


def ids_named(organization_id: UUID, names: Iterable[str]) -> Select[UUID]:
    """Return a query for the ids of roles with these names or keys."""
    return select(Role.id).where(*_called(organization_id, names))


def _called(organization_id: UUID, names: Iterable[str]) -> tuple[ColumnElement[bool], ...]:
    wanted = {spelling for name in names for spelling in lookup_keys(name)}
    return Role.organization_id == organization_id, or_(Role.key.in_(wanted), Role.folded_name.in_(wanted))


def lookup_keys(name: str) -> tuple[str, ...]:
    """Return the keys and names under which a role of this name may be stored."""
    if validation.has_control_characters(name):
        return ()
    wanted = casefolded(name)
    return tuple(dict.fromkeys((wanted, wanted.removeprefix("org:"))))


@dataclass(frozen=True)
class RoleUse:
    """A role with the number of its members, of the pending invitations that carry it, and of its live keys."""

    role: Role
    members: int
    pending: int
    keys: int


def list_with_use(
    organization_id: UUID | str, *, by: Actor, cursor: str | None = None, limit: int = 25
) -> pagination.Page[RoleUse]:
    """Roles by name."""
    here = Role.organization_id == authorize(by, organization_id, "roles:write").organization.id
    total = session().scalar(select(func.count()).select_from(Role).where(here)) or 0
    page = pagination.fetch(select(Role).where(here), BY_NAME, total=total, cursor=cursor, limit=limit)
    return pagination.Page(_with_use(page.items), page.total, page.next, page.previous)


def get_with_use(organization_id: UUID | str, name: str, *, by: Actor) -> RoleUse:
    """The role with this key or name. Raises RoleNotFound."""
    principal = authorize(by, organization_id, "roles:write")
    return _with_use([get(principal.organization.id, name)])[0]


def _with_use(found: list[Role]) -> list[RoleUse]:
    ids = [role.id for role in found]
    members, pending, keys = (_count(query, ids) for query in _uses())
    return [RoleUse(one, members.get(one.id, 0), pending.get(one.id, 0), keys.get(one.id, 0)) for one in found]


def _uses() -> tuple[Select[Any], ...]:
    """Return queries with one row, the role's id, per use."""
    moment = now()
    is_pending = IS_PENDING, Invitation.expires_at > moment
    is_live = ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > moment)
    return (
        select(Membership.role_id),
        select(Invitation.role_id).where(*is_pending),
        select(ApiKey.role_id).where(*is_live),
    )


def _count(query: Select[Any], ids: list[UUID]) -> dict[UUID, int]:
    role_id = query.selected_columns[0]
    counted = query.add_columns(func.count()).where(role_id.in_(ids)).group_by(role_id)
    return {row[0]: row[1] for row in session().execute(counted)}
