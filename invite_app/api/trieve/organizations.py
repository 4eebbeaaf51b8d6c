"""An organization and the people in it."""

from invite_app.access import Actor
from invite_app.api.schema import Schema
from invite_app.services import members, organizations

from .dialect import trieve
from .schemas import OrganizationShown, SlimUser, shown_organization, shown_user


class OrganizationWithSubAndPlan(Schema):
    """Plans and subscriptions of the published API are about paying; nothing here is paid for."""

    organization: OrganizationShown
    plan: None = None
    subscription: None = None


@trieve.endpoint("GET", "/organization/{organization_id}")
def get_organization(organization_id: str, by: Actor) -> OrganizationWithSubAndPlan:
    """Gets the organization."""
    return OrganizationWithSubAndPlan(organization=shown_organization(organizations.get(organization_id, by=by)))


@trieve.endpoint("GET", "/organization/users/{organization_id}", permission="members:read")
def get_organization_users(organization_id: str, by: Actor) -> list[SlimUser]:
    """Gets the members of the organization. What else they belong to is not told."""
    organization = organizations.get(organization_id, by=by)
    found = members.list_all(organization_id, by=by)
    return [shown_user(membership.user, [(membership, organization)]) for membership in found]


@trieve.endpoint("DELETE", "/organization/{organization_id}/user/{user_id}", status=204, permission="members:write")
def remove_user_from_organization(organization_id: str, user_id: str, by: Actor) -> None:
    """Removes a member from the organization. The account stays."""
    members.remove(organization_id, user_id, by=by)
