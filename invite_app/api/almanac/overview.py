"""An organization at a glance: its seats, its people, who is invited, which roles there are, and who is looking."""

from uuid import UUID

from pydantic import Field

from invite_app.access import Principal
from invite_app.api.schema import Schema
from invite_app.models import Invitation, InvitationState, Membership, Role
from invite_app.models.types import now
from invite_app.services import invitations, members, roles

from .dialect import Closed

# Invitations that can be sent again.
OPEN = (InvitationState.PENDING, InvitationState.EXPIRED)


class HostedOrganizationInvitation(Closed):
    invitation_id: str = Field(title="Invitation Id")
    email: str = Field(title="Email")
    role: str = Field(title="Role")
    state: str = Field(default="pending", title="State")
    created_at: str | None = Field(default=None, title="Created At")
    expires_at: str | None = Field(default=None, title="Expires At")


class Seats(Schema):
    active: int = Field(description="Members.")
    pending: int = Field(description="Open invitations; each holds a seat.")
    used: int = Field(description="Both together.")
    blocked: bool = Field(description="Whether there is no seat for a further invitation.")
    granted: int = Field(description="The limit; 0 where there is none.")
    unlimited: bool
    overage_allowed: bool = False


class Viewer(Schema):
    """The caller, or the member whose key it is; the flags are the permissions of the key."""

    organization_id: UUID
    role: str
    can_manage_billing: bool
    can_manage_developers: bool
    can_manage_enterprise: bool
    can_manage_members: bool


class Member(Schema):
    membership_id: UUID
    user_id: UUID
    display_name: str
    email: str
    role: str
    status: str = "active"
    avatar_url: str | None = None


class RoleShown(Schema):
    name: str
    slug: str
    description: str = Field(description="What the role may do.")


class OrganizationMembers(Schema):
    """Members, invitations and roles, without those that the viewer may not see."""

    organization_id: UUID
    seats: Seats
    viewer: Viewer
    invitations: list[HostedOrganizationInvitation]
    members: list[Member]
    roles: list[RoleShown]


def overview(principal: Principal) -> OrganizationMembers:
    here, by = principal.organization.id, principal.actor
    open_ones = invitations.list_all(here, by=by, states=OPEN) if principal.can("invitations:read") else []
    people = members.list_all(here, by=by) if principal.can("members:read") else []
    return OrganizationMembers(
        organization_id=here,
        seats=_seats(principal),
        viewer=_viewer(principal, members.get_own(here, by=by)),
        invitations=[shown_invitation(invitation) for invitation in open_ones],
        members=[_shown_member(membership) for membership in people],
        roles=[_shown_role(role) for role in roles.list_all(here, by=by)],
    )


def shown_invitation(invitation: Invitation) -> HostedOrganizationInvitation:
    return HostedOrganizationInvitation(
        invitation_id=str(invitation.id),
        email=invitation.email,
        role=invitation.role.key if invitation.role else invitation.role_name,
        state=invitation.state_at(now()),
        created_at=invitation.created_at.isoformat(),
        expires_at=invitation.expires_at.isoformat(),
    )


def _seats(principal: Principal) -> Seats:
    organization = principal.organization
    pending = invitations.count_pending(organization)
    used, limit = organization.members_count + pending, organization.seat_limit
    return Seats(
        active=organization.members_count,
        pending=pending,
        used=used,
        blocked=limit is not None and used >= limit,
        granted=limit or 0,
        unlimited=limit is None,
    )


def _viewer(principal: Principal, membership: Membership) -> Viewer:
    return Viewer(
        organization_id=principal.organization.id,
        role=membership.role.key,
        can_manage_billing=principal.can("organization:write"),
        can_manage_developers=principal.can("api_keys:write"),
        can_manage_enterprise=principal.can("organization:write"),
        can_manage_members=principal.can("members:write"),
    )


def _shown_member(membership: Membership) -> Member:
    return Member(
        membership_id=membership.id,
        user_id=membership.user_id,
        display_name=membership.user.name,
        email=membership.user.email,
        role=membership.role.key,
    )


def _shown_role(role: Role) -> RoleShown:
    return RoleShown(name=role.name, slug=role.key, description=", ".join(role.permissions))
