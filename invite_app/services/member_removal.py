"""What removing a member would end, and what it would leave, before anybody is removed."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select

from invite_app.access import Actor, Standing, authorize
from invite_app.db import session
from invite_app.models import IS_PENDING, ApiKey, Invitation, Membership
from invite_app.models.base import now

from . import member_deeds, member_invitations
from .member_lists import find_in


@dataclass(frozen=True)
class Preview:
    """The live keys of the person, the pending invitation to them, how many pending ones they have sent, and how
    many of these the actor may take over.
    """

    member: Membership
    is_last_owner: bool
    keys: list[ApiKey]
    invitation: Invitation | None
    sent: int
    can_be_taken_over: int


def preview(organization_id: UUID | str, user_id: UUID | str, *, by: Actor) -> Preview:
    """Raises MembershipUnknown and MemberAboveOwn."""
    standing = authorize(by, organization_id, "members:write")
    member = find_in(standing.organization.id, user_id)
    standing.check_may_change(member.user_id, member.role)
    sent = member_invitations.sent_by(standing, member.user_id)
    return Preview(
        member=member,
        is_last_owner=member.role.is_owner and member_deeds.count_owners(member) == 1,
        keys=_live_keys(standing, member),
        invitation=_invitation_to(standing, member),
        sent=len(sent),
        can_be_taken_over=sum(member_invitations.may_take_over(standing, one) for one in sent),
    )


def _live_keys(standing: Standing, member: Membership) -> list[ApiKey]:
    query = select(ApiKey).where(
        ApiKey.organization_id == standing.organization.id,
        ApiKey.user_id == member.user_id,
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now()),
    )
    return list(session().scalars(query.order_by(ApiKey.created_at)))


def _invitation_to(standing: Standing, member: Membership) -> Invitation | None:
    found: Invitation | None = session().scalar(
        select(Invitation).where(
            Invitation.organization_id == standing.organization.id,
            Invitation.email == member.user.email,
            IS_PENDING,
            Invitation.expires_at > now(),
        )
    )
    return found
