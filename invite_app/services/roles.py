"""Roles of an organization: the three built-in ones, and how a role is found by what people call it."""

from uuid import UUID

from sqlalchemy import or_, select

from invite_app.access import Actor, authorize
from invite_app.db import session
from invite_app.errors import RoleUnknown
from invite_app.models import Organization, Role
from invite_app.models.base import folded
from invite_app.models.role import BUILT_IN


def add_built_in(organization: Organization) -> dict[str, Role]:
    """The three roles every organization starts with, by key; part of the caller's transaction."""
    roles = {
        key: Role(
            organization_id=organization.id,
            key=key,
            name=key.capitalize(),
            folded_name=key,
            permissions=list(permissions),
            is_built_in=True,
        )
        for key, permissions in BUILT_IN.items()
    }
    session().add_all(roles.values())
    session().flush()
    return roles


def list_all(organization_id: UUID | str, *, by: Actor) -> list[Role]:
    """Every role, built-in ones first. Any member may see them."""
    standing = authorize(by, organization_id)
    query = (
        select(Role)
        .where(Role.organization_id == standing.organization.id)
        .order_by(Role.is_built_in.desc(), Role.created_at, Role.id)
    )
    return list(session().scalars(query))


def get(organization_id: UUID, name: str) -> Role:
    """The role with this key or name, in any case, with or without the prefix `org:`. Raises RoleUnknown."""
    wanted = folded(name)
    candidates = {wanted, wanted.removeprefix("org:")}
    query = select(Role).where(
        Role.organization_id == organization_id,
        or_(Role.key.in_(candidates), Role.folded_name.in_(candidates)),
    )
    if (role := session().scalars(query).first()) is None:
        raise RoleUnknown(name)
    return role
