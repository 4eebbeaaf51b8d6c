"""Invitations to the organization: sent alone or a few together, listed, revoked."""

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool, StrictInt

from invite_app import errors as facts
from invite_app.access import Actor, Principal, authorize
from invite_app.api.dialect import ErrorResponse
from invite_app.api.schema import Schema, at_most
from invite_app.models import Invitation, InvitationState
from invite_app.models.types import now
from invite_app.services import invitations, inviter_rights, private_metadata
from invite_app.services.pagination import Order, Page

from .dialect import NOT_FOUND, clerk, missing
from .pagination import MAX_NAMED, Listed, PageQuery, one_of, ordered
from .schemas import (
    PREFIX,
    Metadata,
    PublicInviterData,
    PublicOrganizationData,
    milliseconds,
    public_inviter_data,
    public_organization_data,
    role_key,
)

DEFAULT_DAYS = 30
ORDERS: dict[str, Order[Invitation]] = {
    "created_at": invitations.OLDEST,
    "email_address": invitations.BY_EMAIL,
}
Status = Literal["pending", "accepted", "revoked", "expired"]
# Clerk has no declined invitations; they are listed as revoked, which also end without a member.
STATES: dict[Status, tuple[InvitationState, ...]] = {
    "pending": (InvitationState.PENDING,),
    "accepted": (InvitationState.ACCEPTED,),
    "revoked": (InvitationState.REVOKED, InvitationState.DECLINED),
    "expired": (InvitationState.EXPIRED,),
}
STATUSES = {state: status for status, states in STATES.items() for state in states}


class NewInvitation(Schema):
    model_config = ConfigDict(extra="forbid")

    email_address: str
    role: str
    inviter_user_id: str | None = Field(default=None, description="A member in whose name you invite.")
    public_metadata: Metadata | None = None
    private_metadata: Metadata | None = None
    redirect_url: str | None = None
    expires_in_days: StrictInt | None = Field(default=None, ge=1, le=365)
    notify: StrictBool | None = Field(default=None, description="Whether to send a mail, which is the default.")


Invitees = Annotated[
    list[NewInvitation], Field(min_length=1, max_length=invitations.MAX_ROWS), at_most(invitations.MAX_ROWS)
]


class Revocation(Schema):
    model_config = ConfigDict(extra="forbid")

    requesting_user_id: str | None = Field(default=None, description="A member in whose name you revoke.")


class StatusQuery(PageQuery):
    status: list[Status] = Field(default=[], max_length=MAX_NAMED)


class InvitationQuery(StatusQuery):
    order_by: str = Field(default="-created_at", pattern=one_of(ORDERS))
    email_address: str | None = None


class AnyInvitationQuery(StatusQuery):
    order_by: str = Field(default="-created_at", pattern=one_of(ORDERS))
    query: str = Field(default="", description="Parts of the address.")


class InvitationShown(Schema):
    object: Literal["organization_invitation"] = "organization_invitation"
    id: str
    email_address: str
    role: str
    role_name: str
    inviter_id: str | None
    public_inviter_data: PublicInviterData | None
    public_metadata: Metadata
    private_metadata: Metadata = Field(description="Empty without the permission `invitations:write`.")
    organization_id: str
    status: Status
    url: None = Field(default=None, description="The link is only ever in the mail.")
    expires_at: int | None
    created_at: int
    updated_at: int


class InvitationWithOrganization(InvitationShown):
    public_organization_data: PublicOrganizationData


LIST = "/organizations/{organization_id}/invitations"
ONE = LIST + "/{invitation_id}"
INVITER_UNKNOWN = {facts.MembershipNotFound: ErrorResponse(404, missing(NOT_FOUND, "inviter_user_id"))}
REQUESTER_UNKNOWN = {facts.MembershipNotFound: ErrorResponse(404, missing(NOT_FOUND, "requesting_user_id"))}


@clerk.endpoint("POST", LIST, permission="invitations:write", errors=INVITER_UNKNOWN)
def create_invitation(organization_id: str, body: NewInvitation, by: Actor) -> InvitationShown:
    """Invites a person by mail, for 30 days unless told otherwise."""
    return shown(invitations.send(organization_id, _draft(body), by=by))


@clerk.endpoint("POST", LIST + "/bulk", permission="invitations:write", errors=INVITER_UNKNOWN)
def create_invitations(organization_id: str, body: Invitees, by: Actor) -> Listed[InvitationShown]:
    """Invites up to ten people: all of them, or nobody."""
    sent = invitations.send_all_or_none(organization_id, [_draft(item) for item in body], by=by)
    return Listed(data=[shown(item) for item in sent], total_count=len(sent))


@clerk.endpoint("GET", LIST, permission="invitations:read")
def list_invitations(organization_id: str, query: InvitationQuery, by: Actor) -> Listed[InvitationShown]:
    """The invitations to the organization."""
    only = invitations.Filter(states=_states(query), email=query.email_address)
    page = _page(organization_id, only, query, by, query.order_by)
    return _listed(page, authorize(by, organization_id))


@clerk.endpoint("GET", LIST + "/pending", permission="invitations:read")
def list_pending_invitations(organization_id: str, query: PageQuery, by: Actor) -> Listed[InvitationShown]:
    """The invitations that wait for an answer."""
    page = _page(organization_id, invitations.Filter(states=STATES["pending"]), query, by)
    return _listed(page, authorize(by, organization_id))


@clerk.endpoint("GET", ONE, permission="invitations:read")
def get_invitation(organization_id: str, invitation_id: str, by: Actor) -> InvitationShown:
    """One invitation."""
    invitation = invitations.get(organization_id, invitation_id, by=by)
    visible = private_metadata.visible(authorize(by, organization_id), invitation)
    return InvitationShown(**_fields(invitation, visible))


@clerk.endpoint("POST", ONE + "/revoke", permission="invitations:write", errors=REQUESTER_UNKNOWN)
def revoke_invitation(
    organization_id: str, invitation_id: str, by: Actor, body: Revocation | None = None
) -> InvitationShown:
    """Revokes a pending invitation: its link stops working and its seat is free."""
    inviter_rights.check_inviter(organization_id, body.requesting_user_id if body else None, by=by)
    return shown(invitations.revoke(organization_id, invitation_id, by=by))


@clerk.endpoint("GET", "/organization_invitations", permission="invitations:read")
def list_all_invitations(
    organization_id: UUID | str, query: AnyInvitationQuery, by: Actor
) -> Listed[InvitationWithOrganization]:
    """The invitations to your own organization."""
    only = invitations.Filter(states=_states(query), fragment=query.query)
    page = _page(organization_id, only, query, by, query.order_by)
    return _listed_with_organization(page, authorize(by, organization_id))


@clerk.endpoint("GET", "/users/{user_id}/organization_invitations", permission="invitations:read")
def list_user_invitations(
    organization_id: UUID | str, user_id: str, query: StatusQuery, by: Actor
) -> Listed[InvitationWithOrganization]:
    """The invitations of a person to your own organization."""
    only = invitations.Filter(states=_states(query), invitee_id=user_id)
    page = _page(organization_id, only, query, by)
    return _listed_with_organization(page, authorize(by, organization_id))


def _draft(body: NewInvitation) -> invitations.Draft:
    return invitations.Draft(
        email=body.email_address,
        role=body.role,
        inviter_id=body.inviter_user_id,
        lifetime=timedelta(days=body.expires_in_days or DEFAULT_DAYS),
        notify=body.notify is not False,
        redirect_uri=body.redirect_url,
        public_metadata=body.public_metadata or {},
        private_metadata=body.private_metadata or {},
    )


def _states(query: StatusQuery) -> list[InvitationState]:
    return [state for status in query.status for state in STATES[status]]


def _page(
    organization_id: UUID | str,
    only: invitations.Filter,
    query: PageQuery,
    by: Actor,
    order_by: str = "-created_at",
) -> Page[Invitation]:
    return invitations.list_page(
        organization_id,
        by=by,
        only=only,
        order=ordered(order_by, ORDERS),
        offset=query.offset,
        limit=query.limit,
        exact=True,
    )


def shown(invitation: Invitation) -> InvitationShown:
    """Return what an actor sees who has just written the invitation."""
    return InvitationShown(**_fields(invitation, invitation.private_metadata))


def _listed(page: Page[Invitation], principal: Principal) -> Listed[InvitationShown]:
    data = [InvitationShown(**_fields(item, private_metadata.visible(principal, item))) for item in page.items]
    return Listed(data=data, total_count=page.total)


def _listed_with_organization(page: Page[Invitation], principal: Principal) -> Listed[InvitationWithOrganization]:
    organization = public_organization_data(principal.organization)
    data = [
        InvitationWithOrganization(
            **_fields(item, private_metadata.visible(principal, item)), public_organization_data=organization
        )
        for item in page.items
    ]
    return Listed(data=data, total_count=page.total)


def _fields(invitation: Invitation, visible: Metadata) -> dict[str, Any]:
    role, inviter = invitation.role, invitation.inviter
    return {
        "id": str(invitation.id),
        "email_address": invitation.email,
        "role": role_key(role) if role else PREFIX + invitation.role_name,
        "role_name": invitation.role_name,
        "inviter_id": str(inviter.id) if inviter else None,
        "public_inviter_data": public_inviter_data(inviter) if inviter else None,
        "public_metadata": invitation.public_metadata,
        "private_metadata": visible,
        "organization_id": str(invitation.organization_id),
        "status": STATUSES[invitation.state_at(now())],
        "expires_at": milliseconds(invitation.expires_at),
        "created_at": milliseconds(invitation.created_at),
        "updated_at": milliseconds(invitation.updated_at),
    }
