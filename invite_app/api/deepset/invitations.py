"""Inviting people to an organization, and looking after the invitations."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from invite_app.access import Actor
from invite_app.models import DeliveryState, Invitation, InvitationState
from invite_app.models.base import now
from invite_app.services import invitations

from .dialect import deepset


class UserInvitation(BaseModel):
    """The definition of the user you want to invite to the organization."""

    model_config = ConfigDict(title="User Invitation")

    given_name: str = Field(title="Given name", description="Given name of a user.")
    family_name: str = Field(title="Family name", description="Family name of a user.")
    email: str = Field(title="Email", description="Email of a user.")
    role: str = Field(
        title="User Role",
        description="Role of the user. This can be a custom role or one of the default roles.",
    )
    workspace_ids: list[UUID] = Field(
        default=[], title="Workspace IDs", description="A list of unique identifiers for workspaces."
    )


class InvitationShown(BaseModel):
    """An invitation. The link it carries is only ever in the mail."""

    invitation_id: UUID
    organization_id: UUID
    email: str
    given_name: str
    family_name: str
    role: str
    workspace_ids: list[UUID]
    state: InvitationState
    delivery: DeliveryState | None = Field(description="What became of the mail; null when none was asked for.")
    created_at: datetime
    expires_at: datetime


@deepset.endpoint("POST", "/organization/{organization_id}/invitation", status=201, permission="invitations:write")
def invite_user_to_organization(organization_id: str, body: UserInvitation, by: Actor) -> InvitationShown:
    """Sends an email to the user inviting them to your organization."""
    draft = invitations.Draft(**body.model_dump())
    return shown(invitations.send(organization_id, draft, by=by))


def shown(invitation: Invitation) -> InvitationShown:
    message = invitation.message
    return InvitationShown(
        invitation_id=invitation.id,
        organization_id=invitation.organization_id,
        email=invitation.email,
        given_name=invitation.given_name,
        family_name=invitation.family_name,
        role=invitation.role.key if invitation.role else invitation.role_name,
        workspace_ids=[workspace.id for workspace in invitation.workspaces],
        state=invitation.state_at(now()),
        delivery=DeliveryState(message.state) if message else None,
        created_at=invitation.created_at,
        expires_at=invitation.expires_at,
    )
