"""The roles of an organization: the built-in ones, and those it made for itself."""

from uuid import UUID

from pydantic import Field

from invite_app.access import Actor
from invite_app.api.dialect import ErrorResponse, ErrorTable
from invite_app.api.fastapi_errors import not_found
from invite_app.api.idempotency_key import StoreResponse
from invite_app.api.schema import MAX_ITEMS, Schema
from invite_app.errors import RoleNotFound
from invite_app.models import Role
from invite_app.services import roles

from .dialect import deepset


class RoleShown(Schema):
    role_id: UUID
    key: str
    name: str
    permissions: list[str]
    is_built_in: bool


class NewRole(Schema):
    name: str
    permissions: list[str] = Field(max_length=MAX_ITEMS)
    key: str | None = Field(default=None, description="What programs call it; made from the name when left out.")


class RoleChanges(Schema):
    """Changes of a custom role; fields that are absent or null stay as they are."""

    name: str | None = None
    permissions: list[str] | None = Field(default=None, max_length=MAX_ITEMS)


class RoleRemoval(Schema):
    replacement: str | None = Field(default=None, description="The role that members with this one get instead.")


LIST = "/organization/{organization_id}/roles"
ONE = LIST + "/{role}"
IN_PATH: ErrorTable = {RoleNotFound: ErrorResponse(404, not_found)}


@deepset.endpoint("GET", LIST)
def list_roles(organization_id: str, by: Actor) -> list[RoleShown]:
    """Every role with its permissions, built-in ones first."""
    return [shown(role) for role in roles.list_all(organization_id, by=by)]


@deepset.endpoint("POST", LIST, status=201, permission="roles:write")
def create_role(organization_id: str, body: NewRole, by: Actor, keep: StoreResponse) -> RoleShown:
    """Makes a custom role of permissions that you have yourself."""
    return shown(roles.create(organization_id, by=by, then=keep(shown), **body.model_dump()))


@deepset.endpoint("PATCH", ONE, permission="roles:write", errors=IN_PATH)
def change_role(organization_id: str, role: str, body: RoleChanges, by: Actor) -> RoleShown:
    """Changes a custom role for everybody who has it."""
    return shown(roles.update_role(organization_id, role, by=by, **body.model_dump()))


@deepset.endpoint("DELETE", ONE, status=204, permission="roles:write", errors=IN_PATH)
def delete_role(organization_id: str, role: str, query: RoleRemoval, by: Actor) -> None:
    """Deletes a custom role; its API keys end with it."""
    roles.delete(organization_id, role, by=by, replacement=query.replacement)


def shown(role: Role) -> RoleShown:
    return RoleShown(
        role_id=role.id,
        key=role.key,
        name=role.name,
        permissions=role.permissions,
        is_built_in=role.is_built_in,
    )
