"""The people of an organization, as the deepset API calls them: users."""

from uuid import UUID

from pydantic import BaseModel, Field

from invite_app.access import Actor
from invite_app.models import Membership, Organization, Plan
from invite_app.services import members, organizations

from .dialect import deepset


class EntityRole(BaseModel):
    name: str
    role: str


class OrganizationFormatted(BaseModel):
    organization_id: UUID
    name: str
    role: str
    pricing_plan: int = Field(description="0 on the free plan, 1 on the paid plan.")
    workspaces: list[EntityRole]


class User(BaseModel):
    user_id: UUID
    email: str
    given_name: str
    family_name: str
    deleted: bool = False
    oauth_provider: str = "invite_app"
    oauth_id: str | None = None
    organization: OrganizationFormatted


@deepset.endpoint("GET", "/me")
def read_users_me(organization_id: UUID | str, by: Actor) -> User:
    """Who you are, and your place in the organization."""
    return shown(members.get_own(organization_id, by=by), organizations.get(organization_id, by=by))


def shown(membership: Membership, organization: Organization) -> User:
    person, role = membership.user, membership.role.key
    return User(
        user_id=person.id,
        email=person.email,
        given_name=person.given_name,
        family_name=person.family_name,
        organization=OrganizationFormatted(
            organization_id=organization.id,
            name=organization.name,
            role=role,
            pricing_plan=list(Plan).index(Plan(organization.plan)),
            workspaces=[EntityRole(name=workspace.name, role=role) for workspace in membership.workspaces],
        ),
    )
