"""Whether those who invited may still do so: decided at acceptance, and kept up to date for the lists."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from invite_app.access import Actor, KeyActor, OperatorActor, PersonActor, authorize
from invite_app.db import session
from invite_app.errors import DomainError
from invite_app.models import Invitation, InvitationState, Organization, Role


def may_still_grant(invitation: Invitation, role: Role) -> bool:
    """Whether the inviter still belongs to the organization and may hand out the invitation's role."""
    inviter = _inviter(invitation)
    if inviter is None:
        return False
    try:
        authorize(inviter, invitation.organization_id, "invitations:write").check_may_grant(role)
    except DomainError:
        return False
    return True


def review(organization: Organization, user_id: UUID | None = None) -> None:
    """Mark the pending invitations whose inviter lost (or got back) the right; only those by one user if named.

    Part of the caller's transaction, after whatever changed the rights. Rights are read once per inviter and role.
    """
    session().flush()
    query = (
        select(Invitation)
        .options(joinedload(Invitation.role))
        .where(
            Invitation.organization_id == organization.id,
            Invitation.state == InvitationState.PENDING,
            Invitation.inviter_kind != "operator",
        )
    )
    if user_id is not None:
        query = query.where(Invitation.inviter_id == user_id)
    verdicts: dict[tuple[str, UUID | None, UUID | None, UUID], bool] = {}
    for invitation in session().scalars(query):
        if invitation.role is None:
            continue
        case = (
            invitation.inviter_kind,
            invitation.inviter_id,
            invitation.inviter_key_id,
            invitation.role.id,
        )
        if case not in verdicts:
            verdicts[case] = may_still_grant(invitation, invitation.role)
        invitation.inviter_lost_right = not verdicts[case]


def _inviter(invitation: Invitation) -> Actor | None:
    match invitation.inviter_kind:
        case "operator":
            return OperatorActor()
        case "key" if invitation.inviter_key_id:
            return KeyActor(invitation.inviter_key_id, invitation.organization_id)
        case "person" if invitation.inviter_id:
            return PersonActor(invitation.inviter_id)
    return None
