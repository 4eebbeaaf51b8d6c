"""Inviting people, and the invitations that are open or were accepted."""

from typing import Any
from uuid import UUID

from pydantic import Field

from invite_app.access import Actor
from invite_app.api.dialect import ErrorResponse, ErrorTable
from invite_app.api.schema import MAX_ITEMS, Schema
from invite_app.errors import InvitationClosed, RoleNotFound
from invite_app.models import Invitation, InvitationState
from invite_app.services import invitations

from .dialect import ABOVE_OWN, GONE, sentence, trieve
from .schemas import NaiveTime, Payload, RoleNumber, WantedRole, role_name, role_number

# Trieve has no other states, so invitations in them are not listed.
USED = {InvitationState.PENDING: False, InvitationState.ACCEPTED: True}


class InvitationData(Payload):
    """JSON request payload to send an invitation"""

    app_url: str = Field(description="The url of the app that the link in the mail leads to.")
    email: str = Field(description="The email of the user to invite.")
    redirect_uri: str = Field(description="The url that the user will be redirected to after joining.")
    user_role: WantedRole = Field(
        description="The role the user will have in the organization. 0 = User, 1 = Admin, 2 = Owner."
    )
    scopes: list[Any] | None = Field(default=None, max_length=MAX_ITEMS, description="Not used.")


class InvitationShown(Schema):
    id: UUID
    email: str
    organization_id: UUID
    used: bool
    created_at: NaiveTime
    updated_at: NaiveTime
    role: RoleNumber
    scopes: list[Any] | None = None


def ended(error: InvitationClosed) -> Any:
    """Return the answer to deleting an invitation that is not open: only accepted ones are still there."""
    return sentence(error) if error.state in USED else GONE.body(error)


INVITING: ErrorTable = {RoleNotFound: ABOVE_OWN}
DELETING: ErrorTable = {InvitationClosed: ErrorResponse(400, ended)}


@trieve.endpoint("POST", "/invitation", status=204, permission="invitations:write", errors=INVITING)
def post_invitation(organization_id: UUID | str, body: InvitationData, by: Actor) -> None:
    """Sends an email inviting somebody to the organization. Nobody is added without accepting."""
    draft = invitations.Draft(
        body.email, role_name(body.user_role), app_url=body.app_url, redirect_uri=body.redirect_uri
    )
    invitations.send(organization_id, draft, by=by)


@trieve.endpoint("GET", "/invitations/{organization_id}", permission="invitations:read")
def get_invitations(organization_id: str, by: Actor) -> list[InvitationShown]:
    """Gets the open and the accepted invitations of the organization."""
    return [shown(invitation) for invitation in invitations.list_all(organization_id, by=by, states=USED)]


@trieve.endpoint("DELETE", "/invitation/{invitation_id}", status=204, permission="invitations:write", errors=DELETING)
def delete_invitation(organization_id: UUID | str, invitation_id: str, by: Actor) -> None:
    """Revokes an open invitation: its link stops working."""
    invitations.revoke(organization_id, invitation_id, by=by)


def shown(invitation: Invitation) -> InvitationShown:
    return InvitationShown(
        id=invitation.id,
        email=invitation.email,
        organization_id=invitation.organization_id,
        used=USED[InvitationState(invitation.state)],
        created_at=invitation.created_at,
        updated_at=invitation.updated_at,
        role=role_number(invitation.role),
    )
