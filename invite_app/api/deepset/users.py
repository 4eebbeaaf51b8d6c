"""The people of an organization, as the deepset API calls them: users."""

from uuid import UUID

from pydantic import Field

from invite_app.access import Actor
from invite_app.api.schema import Schema
from invite_app.models import Membership, Organization, Plan
from invite_app.services import members, organizations

from .dialect import deepset


class EntityRole(Schema):
    name: str
    role: str


class OrganizationFormatted(Schema):
    organization_id: UUID
    name: str
    role: str
    pricing_plan: int = Field(description="0 on the free plan, 1 on the paid plan.")
    workspaces: list[EntityRole]


class User(Schema):
    user_id: UUID
    email: str
    given_name: str
    family_name: str
    deleted: bool = False
    oauth_provider: str = "invite_app"
    oauth_id: str | None = None
    organization: OrganizationFormatted


class UserPagination(Schema):
    data: list[User]
    has_more: bool
    total: int


class UserQuery(Schema):
    limit: int = Field(default=10, ge=1, le=100)
    page_number: int = Field(default=1, ge=1, le=1_000_000)
    before: UUID | None = Field(default=None, description="Only entries before the user with this id.")
    after: UUID | None = Field(default=None, description="Only entries after the user with this id.")


class UserRole(Schema):
    role: str


@deepset.endpoint("GET", "/me")
def read_users_me(organization_id: UUID | str, by: Actor) -> User:
    """Get the current user and their membership."""
    return shown(members.get_own(organization_id, by=by), organizations.get(organization_id, by=by))


@deepset.endpoint("GET", "/users", permission="members:read")
def list_users(organization_id: UUID | str, query: UserQuery, by: Actor) -> UserPagination:
    """The members of the organization by name."""
    page = members.list_page(
        organization_id,
        by=by,
        before=query.before,
        after=query.after,
        offset=(query.page_number - 1) * query.limit,
        limit=query.limit,
    )
    organization = organizations.get(organization_id, by=by)
    return UserPagination(
        data=[shown(membership, organization) for membership in page.items],
        has_more=(page.previous if query.before else page.next) is not None,
        total=page.total,
    )


@deepset.endpoint("GET", "/users/{user_id}", permission="members:read")
def get_user(organization_id: UUID | str, user_id: str, by: Actor) -> User:
    """One member of the organization."""
    return shown(members.get(organization_id, user_id, by=by), organizations.get(organization_id, by=by))


@deepset.endpoint("PATCH", "/users/{user_id}", status=204, permission="members:write")
def update_user_permission(organization_id: UUID | str, user_id: str, body: UserRole, by: Actor) -> None:
    """Gives a member another role."""
    members.change_role(organization_id, user_id, body.role, by=by)


@deepset.endpoint("DELETE", "/users/{user_id}", permission="members:write")
def delete_user(organization_id: UUID | str, user_id: str, by: Actor) -> None:
    """Removes a member from the organization. The account stays."""
    members.remove(organization_id, user_id, by=by)


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
