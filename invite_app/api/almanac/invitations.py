"""Inviting people to an organization, and sending an invitation again."""

from pydantic import Field

from invite_app.access import Actor, authorize
from invite_app.services import invitations

from .dialect import Closed, almanac
from .overview import HostedOrganizationInvitation, OrganizationMembers, overview, shown_invitation


class InviteOrganizationMemberRequest(Closed):
    email: str = Field(min_length=1, title="Email")
    role: str = Field(min_length=1, title="Role")


@almanac.endpoint("POST", "/organizations/{organization_id}/members/invite", permission="invitations:write")
def invite_organization_member(
    organization_id: str, body: InviteOrganizationMemberRequest, by: Actor
) -> HostedOrganizationInvitation:
    """Sends an email inviting somebody to the organization."""
    draft = invitations.Draft(body.email, body.role)
    return shown_invitation(invitations.send(organization_id, draft, by=by))


@almanac.endpoint(
    "POST", "/organizations/{organization_id}/invitations/{invitation_id}/resend", permission="invitations:write"
)
def resend_organization_invitation(organization_id: str, invitation_id: str, by: Actor) -> OrganizationMembers:
    """Sends the same link again and renews its end; an expired invitation becomes pending again."""
    invitations.resend(organization_id, invitation_id, by=by)
    return overview(authorize(by, organization_id))
