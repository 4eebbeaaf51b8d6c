"""Looking at roles for those who manage them: a page of them, or one, with how many have each one."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select

from invite_app.access import Actor, authorize
from invite_app.db import session
from invite_app.models import IS_PENDING, ApiKey, Invitation, Membership, Role
from invite_app.models.base import now

from . import pagination, roles


@dataclass(frozen=True)
class Use:
    """A role with the number of its members, of the pending invitations that carry it, and of its live keys."""

    role: Role
    members: int
    pending: int
    keys: int


def list_page(
    organization_id: UUID | str, *, by: Actor, cursor: str | None = None, limit: int = 25
) -> pagination.Page[Use]:
    """Roles by name."""
    here = Role.organization_id == authorize(by, organization_id, "roles:write").organization.id
    total = session().scalar(select(func.count()).select_from(Role).where(here)) or 0
    page = pagination.fetch(select(Role).where(here), roles.BY_NAME, total=total, cursor=cursor, limit=limit)
    return pagination.Page(_with_use(page.items), page.total, page.next, page.previous)


def get(organization_id: UUID | str, name: str, *, by: Actor) -> Use:
    """The role with this key or name. Raises RoleUnknown."""
    standing = authorize(by, organization_id, "roles:write")
    return _with_use([roles.get(standing.organization.id, name)])[0]


def _with_use(found: list[Role]) -> list[Use]:
    ids = [role.id for role in found]
    members, pending, keys = (_count(query, ids) for query in _uses())
    return [Use(one, members.get(one.id, 0), pending.get(one.id, 0), keys.get(one.id, 0)) for one in found]


def _uses() -> tuple[Select[Any], ...]:
    """One row per use, which is the role's id."""
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
