"""The pending invitations that rest on a member: who sent them, and how another member takes them over."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from invite_app.access import Standing
from invite_app.db import session
from invite_app.models import IS_PENDING, Invitation
from invite_app.models.base import now

from . import invitations

RIGHT = "invitations:write"


def sent_by(standing: Standing, user_id: UUID) -> list[Invitation]:
    """The pending invitations that this person, or a key in their name, has sent; with their roles."""
    query = select(Invitation).where(
        Invitation.organization_id == standing.organization.id,
        Invitation.inviter_id == user_id,
        IS_PENDING,
        Invitation.expires_at > now(),
    )
    return list(session().scalars(query.options(joinedload(Invitation.role)).order_by(Invitation.created_at)))


def may_take_over(standing: Standing, invitation: Invitation) -> bool:
    """Whether the actor could have sent it as it is."""
    return standing.may_see_link(invitation.role)


def take_over(standing: Standing, user_id: UUID) -> None:
    """Make the actor the inviter of those invitations that they may grant; part of the caller's transaction."""
    for invitation in sent_by(standing, user_id):
        if may_take_over(standing, invitation):
            invitations.make_inviter(standing, invitation)
