"""Preview the removal of a member, and take over the invitations they sent."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from invite_app.access import Actor, Principal, authorize
from invite_app.db import session
from invite_app.models import IS_PENDING, ApiKey, Invitation, Membership
from invite_app.models.types import now
from invite_app.services import invitations

from . import queries
from .queries import get_in

RIGHT = "invitations:write"


def pending_sent_by(principal: Principal, user_id: UUID) -> list[Invitation]:
    """Return pending invitations, with roles, sent by this person or by an API key on their behalf."""
    query = select(Invitation).where(
        Invitation.organization_id == principal.organization.id,
        Invitation.inviter_id == user_id,
        IS_PENDING,
        Invitation.expires_at > now(),
    )
    return list(session().scalars(query.options(joinedload(Invitation.role)).order_by(Invitation.created_at)))


def can_take_over(principal: Principal, invitation: Invitation) -> bool:
    """Return whether the actor may grant the invitation's role."""
    return principal.can_see_link(invitation.role)


def take_over(principal: Principal, user_id: UUID) -> None:
    """Make the actor the inviter of those invitations that they may grant; part of the caller's transaction."""
    for invitation in pending_sent_by(principal, user_id):
        if can_take_over(principal, invitation):
            invitations.make_inviter(principal, invitation)


@dataclass(frozen=True)
class RemovalPreview:
    """The live keys of the person, the pending invitation to them, how many pending ones they have sent, and how
    many of these the actor may take over.
    """

    member: Membership
    is_last_owner: bool
    keys: list[ApiKey]
    invitation: Invitation | None
    sent: int
    can_be_taken_over: int


def preview_removal(organization_id: UUID | str, user_id: UUID | str, *, by: Actor) -> RemovalPreview:
    """Raises MembershipNotFound and CannotManageMember."""
    principal = authorize(by, organization_id, "members:write")
    member = get_in(principal.organization.id, user_id)
    principal.check_can_manage(member.user_id, member.role)
    sent = pending_sent_by(principal, member.user_id)
    return RemovalPreview(
        member=member,
        is_last_owner=member.role.is_owner and queries.count_owners(member) == 1,
        keys=_live_keys(principal, member),
        invitation=_invitation_to(principal, member),
        sent=len(sent),
        can_be_taken_over=sum(can_take_over(principal, one) for one in sent),
    )


def _live_keys(principal: Principal, member: Membership) -> list[ApiKey]:
    query = select(ApiKey).where(
        ApiKey.organization_id == principal.organization.id,
        ApiKey.user_id == member.user_id,
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now()),
    )
    return list(session().scalars(query.order_by(ApiKey.created_at)))


def _invitation_to(principal: Principal, member: Membership) -> Invitation | None:
    found: Invitation | None = session().scalar(
        select(Invitation).where(
            Invitation.organization_id == principal.organization.id,
            Invitation.email == member.user.email,
            IS_PENDING,
            Invitation.expires_at > now(),
        )
    )
    return found
