"""Inviting people to an organization, and looking after the invitations."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from invite_app.access import Actor
from invite_app.api.idempotency_key import StoreResponse
from invite_app.api.schema import MAX_ITEMS, MAX_VALUES, Schema
from invite_app.models import DeliveryState, Invitation, InvitationState
from invite_app.models.types import now
from invite_app.services import invitations
from invite_app.services.invitations import StatusReason

from .dialect import deepset
from .pagination import Listed, PageQuery, listed

OrganizationId = Annotated[
    str,
    Field(
        title="Organization ID",
        description="A unique identifier of the organization. You can obtain it from `GET /api/v1/me`.",
    ),
]


class WorkspaceUserInvitation(Schema):
    """The definition of the user you want to invite."""

    given_name: str = Field(title="Given name", description="Given name of a user.")
    family_name: str = Field(title="Family name", description="Family name of a user.")
    email: str = Field(title="Email", description="Email of a user.")
    role: str = Field(
        title="User Role",
        description="Role of the user. This can be a custom role or one of the default roles.",
    )


class UserInvitation(WorkspaceUserInvitation):
    """The definition of the user you want to invite to the organization."""

    model_config = ConfigDict(title="User Invitation")

    workspace_ids: list[UUID] = Field(
        default=[],
        max_length=MAX_ITEMS,
        title="Workspace IDs",
        description="A list of unique identifiers for workspaces.",
    )


class InvitationShown(Schema):
    """An invitation. The link it carries is only ever in the mail."""

    invitation_id: UUID
    organization_id: UUID
    email: str
    given_name: str
    family_name: str
    role: str
    workspace_ids: list[UUID]
    note: str
    invited_by: str
    state: InvitationState
    why: StatusReason = Field(description="Why the person is not in yet, or how the invitation ended.")
    delivery: DeliveryState | None = Field(description="What became of the mail; null when none was asked for.")
    created_at: datetime
    expires_at: datetime


class InvitationQuery(PageQuery):
    state: list[InvitationState] = Field(default=[], max_length=MAX_VALUES)
    delivery: DeliveryState | None = None
    role: str = Field(default="", max_length=100, description="The key or the name of a role.")
    q: str = Field(default="", max_length=200, description="Parts of the address or the name.")


class InvitationChanges(Schema):
    """Changes of a pending invitation; fields that are absent or null stay as they are."""

    email: str | None = Field(default=None, description="Another address gets a link of its own.")
    role: str | None = None
    workspace_ids: list[UUID] | None = Field(default=None, max_length=MAX_ITEMS)
    note: str | None = None


class Link(Schema):
    url: str


LIST = "/organization/{organization_id}/invitations"
ONE = LIST + "/{invitation_id}"


@deepset.endpoint(
    "POST",
    "/organization/{organization_id}/invitation",
    status=201,
    permission="invitations:write",
    has_open_response=True,
)
def invite_user_to_organization(
    organization_id: OrganizationId, body: UserInvitation, by: Actor, keep: StoreResponse
) -> InvitationShown:
    """Sends an email to the user inviting them to your organization."""
    draft = invitations.Draft(**body.model_dump())
    return shown(invitations.send(organization_id, draft, by=by, then=keep(shown)))


@deepset.endpoint("GET", LIST, permission="invitations:read")
def list_invitations(organization_id: str, query: InvitationQuery, by: Actor) -> Listed[InvitationShown]:
    """The organization's invitations, newest first."""
    only = invitations.Filter(query.state, query.delivery, role=query.role, fragment=query.q)
    page = invitations.list_page(organization_id, by=by, only=only, cursor=query.cursor, limit=query.limit)
    return listed(page, shown)


@deepset.endpoint("GET", ONE, permission="invitations:read")
def get_invitation(organization_id: str, invitation_id: str, by: Actor) -> InvitationShown:
    """One invitation."""
    return shown(invitations.get(organization_id, invitation_id, by=by))


@deepset.endpoint("PATCH", ONE, permission="invitations:write")
def edit_invitation(organization_id: str, invitation_id: str, body: InvitationChanges, by: Actor) -> InvitationShown:
    """Changes a pending invitation. The link stays the same unless the address changes."""
    changes = invitations.Changes(**body.model_dump())
    return shown(invitations.edit(organization_id, invitation_id, changes, by=by))


@deepset.endpoint("DELETE", ONE, status=204, permission="invitations:write")
def revoke_invitation(organization_id: str, invitation_id: str, by: Actor) -> None:
    """Revokes a pending invitation: its link stops working and its seat is free."""
    invitations.revoke(organization_id, invitation_id, by=by)


@deepset.endpoint("POST", ONE + "/resend", permission="invitations:write")
def resend_invitation(organization_id: str, invitation_id: str, by: Actor) -> InvitationShown:
    """Sends the same link again and renews its end; an expired invitation becomes pending again."""
    return shown(invitations.resend(organization_id, invitation_id, by=by))


@deepset.endpoint("POST", ONE + "/extend", permission="invitations:write")
def extend_invitation(organization_id: str, invitation_id: str, by: Actor) -> InvitationShown:
    """Seven days more, without another mail."""
    return shown(invitations.extend(organization_id, invitation_id, by=by))


@deepset.endpoint("POST", ONE + "/take-over", permission="invitations:write")
def take_over_invitation(organization_id: str, invitation_id: str, by: Actor) -> InvitationShown:
    """Makes you the inviter, for when the one who invited has lost the right to."""
    return shown(invitations.take_over(organization_id, invitation_id, by=by))


@deepset.endpoint("POST", ONE + "/link", permission="invitations:write")
def copy_invitation_link(organization_id: str, invitation_id: str, by: Actor) -> Link:
    """The link, for handing it over by other means than mail. This is recorded."""
    return Link(url=invitations.copy_link(organization_id, invitation_id, by=by))


def shown(invitation: Invitation) -> InvitationShown:
    moment, message = now(), invitation.message
    return InvitationShown(
        invitation_id=invitation.id,
        organization_id=invitation.organization_id,
        email=invitation.email,
        given_name=invitation.given_name,
        family_name=invitation.family_name,
        role=invitation.role.key if invitation.role else invitation.role_name,
        workspace_ids=[workspace.id for workspace in invitation.workspaces],
        note=invitation.note,
        invited_by=invitation.inviter_name,
        state=invitation.state_at(moment),
        why=invitations.why(invitation, moment),
        delivery=DeliveryState(message.state) if message else None,
        created_at=invitation.created_at,
        expires_at=invitation.expires_at,
    )
