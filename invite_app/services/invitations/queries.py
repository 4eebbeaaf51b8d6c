"""Load one invitation with what belongs to it."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, selectinload

from invite_app import ids
from invite_app.access import Actor, authorize
from invite_app.db import session
from invite_app.errors import InvitationNotFound
from invite_app.models import Invitation


def get(organization_id: UUID | str, invitation_id: UUID | str, *, by: Actor) -> Invitation:
    """Return an invitation with role, workspaces, inviter and message. Raises InvitationNotFound."""
    principal = authorize(by, organization_id, "invitations:read")
    return get_in(principal.organization.id, invitation_id)


def get_in(organization_id: UUID, invitation_id: UUID | str) -> Invitation:
    """Return an invitation of the organization with its relations; the caller has checked permissions.

    Raises InvitationNotFound.
    """
    wanted = ids.parse_id(invitation_id, InvitationNotFound(str(invitation_id)))
    query = complete().where(Invitation.id == wanted, Invitation.organization_id == organization_id)
    invitation: Invitation | None = session().scalar(query)
    if invitation is None:
        raise InvitationNotFound(str(invitation_id))
    return invitation


def complete() -> Select[Invitation]:
    """Return a query for invitations with all relations that pages and APIs show."""
    return select(Invitation).options(
        joinedload(Invitation.role),
        joinedload(Invitation.inviter),
        joinedload(Invitation.message),
        joinedload(Invitation.organization, innerjoin=True),
        selectinload(Invitation.workspaces),
    )
