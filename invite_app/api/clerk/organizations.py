"""The organization itself, and its roles."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from invite_app.access import Actor
from invite_app.api.schema import Schema
from invite_app.models import Role
from invite_app.services import organizations, roles
from invite_app.services.pagination import Order

from .dialect import clerk
from .pagination import Listed, PageQuery, one_of, ordered
from .schemas import OrganizationShown, milliseconds, organization_shown, permission_keys, role_key

ORDERS: dict[str, Order[Role]] = {"created_at": roles.NEWEST, "name": roles.BY_NAME, "key": roles.BY_KEY}


class RoleQuery(PageQuery):
    order_by: str = Field(default="-created_at", pattern=one_of(ORDERS))
    query: str = Field(default="", description="Parts of the name or the key.")


class PermissionShown(Schema):
    object: Literal["permission"] = "permission"
    id: str
    name: str
    key: str
    description: str = ""
    type: Literal["system"] = "system"
    created_at: int
    updated_at: int


class RoleShown(Schema):
    object: Literal["role"] = "role"
    id: str
    name: str
    key: str
    description: str | None = None
    is_creator_eligible: bool = Field(description="Whether whoever creates an organization gets this role.")
    permissions: list[PermissionShown]
    created_at: int
    updated_at: int


@clerk.endpoint("GET", "/organizations/{organization_id}")
def get_organization(organization_id: str, by: Actor) -> OrganizationShown:
    """An organization by its id or slug."""
    return organization_shown(organizations.get(organizations.resolve_id(organization_id), by=by))


@clerk.endpoint("GET", "/organization_roles")
def list_roles(organization_id: UUID | str, query: RoleQuery, by: Actor) -> Listed[RoleShown]:
    """The roles of your own organization."""
    page = roles.list_page(
        organization_id,
        by=by,
        fragment=query.query,
        order=ordered(query.order_by, ORDERS),
        offset=query.offset,
        limit=query.limit,
    )
    return Listed(data=[shown(role) for role in page.items], total_count=page.total)


def shown(role: Role) -> RoleShown:
    return RoleShown(
        id=str(role.id),
        name=role.name,
        key=role_key(role),
        is_creator_eligible=role.is_owner,
        permissions=_permissions(role),
        created_at=milliseconds(role.created_at),
        updated_at=milliseconds(role.updated_at),
    )


def _permissions(role: Role) -> list[PermissionShown]:
    """Permissions are as old as their role, since nobody creates them by themselves."""
    born = milliseconds(role.created_at)
    return [
        PermissionShown(id=key, name=_name(key), key=key, created_at=born, updated_at=born)
        for key in permission_keys(role)
    ]


def _name(key: str) -> str:
    """`org:api_keys:write` in words."""
    _, thing, verb = key.split(":")
    return f"{verb} {thing}".replace("_", " ").capitalize()
