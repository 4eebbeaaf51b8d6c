"""The invitee's side. The token of the link is what opens these; they need no key."""

from datetime import datetime
from uuid import UUID

from flask import request
from pydantic import Field

from invite_app.api import authentication
from invite_app.api.dialect import ErrorResponse, ErrorTable
from invite_app.api.fastapi_errors import sentence
from invite_app.api.schema import Schema
from invite_app.errors import DomainNotAllowed
from invite_app.models import InvitationState, Membership
from invite_app.services import invitations

from .dialect import deepset


class OfferShown(Schema):
    """An invitation as its invitee sees it."""

    organization_name: str
    email: str
    given_name: str
    family_name: str
    role: str
    workspaces: list[str]
    invited_by: str
    note: str
    state: InvitationState
    expires_at: datetime
    has_account: bool | None = Field(
        description="True if the address has an account, which has to sign in to accept. Null on a copied link."
    )
    obstacle: str | None = Field(description="What keeps it from being accepted as things stand.")


class NewAccount(Schema):
    given_name: str
    family_name: str
    password: str


class Word(Schema):
    word: str = Field(default="", description="A word to the admin.")


class Joined(Schema):
    organization_id: UUID
    user_id: UUID
    role: str


ONE = "/invitations/{token}"
ACCEPTING: ErrorTable = {DomainNotAllowed: ErrorResponse(409, sentence)}


@deepset.endpoint("GET", ONE, is_public=True)
def look_at_invitation(token: str) -> OfferShown:
    """Get the offer behind the link. This changes nothing."""
    return shown(invitations.open_link(token))


@deepset.endpoint("POST", ONE + "/accept", is_public=True, errors=ACCEPTING)
def accept_invitation(token: str, body: NewAccount | None = None) -> Joined:
    """Accepts for a new account, or without a body for the one that is signed in."""
    if body is None:
        user_id = authentication.person().user_id
        return joined(invitations.accept_with_account(token, user_id, ip=request.remote_addr))
    profile = invitations.NewProfile(**body.model_dump())
    return joined(invitations.accept_with_new_account(token, profile, ip=request.remote_addr))


@deepset.endpoint("POST", ONE + "/decline", status=204, is_public=True)
def decline_invitation(token: str, body: Word | None = None) -> None:
    """Turns the invitation down."""
    invitations.decline(token, word=body.word if body else "", ip=request.remote_addr)


def shown(offer: invitations.InvitationOffer) -> OfferShown:
    invitation = offer.invitation
    return OfferShown(
        organization_name=invitation.organization.name,
        email=invitation.email,
        given_name=invitation.given_name,
        family_name=invitation.family_name,
        role=invitation.role_name,
        workspaces=[workspace.name for workspace in invitation.workspaces],
        invited_by=invitation.inviter_name,
        note=invitation.note,
        state=offer.state,
        expires_at=invitation.expires_at,
        has_account=offer.has_account,
        obstacle=str(offer.obstacle) if offer.obstacle else None,
    )


def joined(membership: Membership) -> Joined:
    return Joined(organization_id=membership.organization_id, user_id=membership.user_id, role=membership.role.key)
