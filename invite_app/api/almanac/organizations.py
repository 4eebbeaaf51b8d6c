"""Founding a further organization."""

from uuid import UUID

from pydantic import Field

from invite_app.access import Actor
from invite_app.api.schema import Schema
from invite_app.services import organizations

from .dialect import Closed, almanac


class CreateOrganizationRequest(Closed):
    name: str = Field(min_length=1)
    slug: str | None = Field(default=None, description="Made from the name when left out.")


class CreatedOrganization(Schema):
    organization_id: UUID
    name: str
    slug: str
    role: str
    permissions: list[str]


@almanac.endpoint("POST", "/organizations", permission="organization:write")
def create_organization(
    organization_id: UUID | str, body: CreateOrganizationRequest, by: Actor
) -> CreatedOrganization:
    """Founds an organization with the plan of yours, which the user of your key will own. Takes an owner's key."""
    made, role = organizations.create_for_key_owner(organization_id, name=body.name, slug=body.slug, by=by)
    return CreatedOrganization(
        organization_id=made.id, name=made.name, slug=made.slug, role=role.key, permissions=role.permissions
    )
