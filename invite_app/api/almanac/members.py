"""The members of an organization, with all that is around them."""

from invite_app.access import Actor, authorize

from .dialect import almanac
from .overview import OrganizationMembers, overview


@almanac.endpoint("GET", "/organizations/{organization_id}/members", permission="members:read")
def list_organization_members(organization_id: str, by: Actor) -> OrganizationMembers:
    """The organization's members, open invitations, seats and roles, and what you may manage of them."""
    return overview(authorize(by, organization_id, "members:read"))
