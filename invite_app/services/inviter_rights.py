"""Inviters' permissions, checked at acceptance and kept up to date for lists."""

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from invite_app import ids
from invite_app.access import Actor, ApiKeyActor, OperatorActor, Principal, UserActor, authorize
from invite_app.db import session
from invite_app.errors import DomainError, MembershipNotFound, OrganizationNotFound, PermissionDenied
from invite_app.models import IS_PENDING, ApiKey, Invitation, Organization, Role

from . import held_mail, inviter_mail

PERMISSION = "invitations:write"


def check_inviter(organization_id: UUID | str, user_id: UUID | str | None, *, by: Actor) -> None:
    """Check that the actor may name this member as inviter. Raises the errors of `resolve_inviter`."""
    resolve_inviter(authorize(by, organization_id, PERMISSION), user_id)


def resolve_inviter(principal: Principal, user_id: UUID | str | None) -> Principal:
    """The standing of the member in whose name somebody invites; without a name, that of the actor.

    Keys may name any member who may invite, people only themselves: the one named is who the invitee sees and
    answers to. Raises MembershipNotFound and PermissionDenied.
    """
    if user_id is None:
        return principal
    unknown = MembershipNotFound(str(user_id))
    person = UserActor(ids.parse_id(user_id, unknown))
    if isinstance(principal.actor, UserActor) and principal.actor.user_id != person.user_id:
        raise PermissionDenied(PERMISSION)
    try:
        return authorize(person, principal.organization.id, PERMISSION)
    except OrganizationNotFound:
        raise unknown from None


def can_still_grant(invitation: Invitation, role: Role) -> bool:
    """Check if all responsible actors still belong to the organization and may grant the role."""
    actors = _responsible_actors(invitation)
    return bool(actors) and all(_may_grant(actor, invitation.organization_id, role) for actor in actors)


def refresh(organization: Organization, user_id: UUID | None = None) -> None:
    """Mark the pending invitations whose inviter lost (or got back) the right; only those by one user if named.

    Queued mail that rests on such a right is released or cancelled.

    Part of the caller's transaction, after whatever changed the rights. Rights are read once per inviter and role.
    """
    session().flush()
    query = (
        select(Invitation)
        .options(joinedload(Invitation.role))
        .where(
            Invitation.organization_id == organization.id,
            IS_PENDING,
            Invitation.inviter_kind != "operator",
        )
    )
    if user_id is not None:
        own_keys = select(ApiKey.id).where(ApiKey.user_id == user_id)
        query = query.where(or_(Invitation.inviter_id == user_id, Invitation.inviter_key_id.in_(own_keys)))
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
            verdicts[case] = can_still_grant(invitation, invitation.role)
        invitation.inviter_lost_right = not verdicts[case]
    held_mail.release(organization.id)
    inviter_mail.withdraw(organization.id, user_id)


def _responsible_actors(invitation: Invitation) -> list[Actor]:
    """Whose rights the invitation rests on: for a key's, also those of the member the key named (or acts for)."""
    match invitation.inviter_kind:
        case "operator":
            return [OperatorActor()]
        case "key" if invitation.inviter_key_id and invitation.inviter_id:
            key = ApiKeyActor(invitation.inviter_key_id, invitation.organization_id)
            return [key, UserActor(invitation.inviter_id)]
        case "person" if invitation.inviter_id:
            return [UserActor(invitation.inviter_id)]
    return []


def _may_grant(actor: Actor, organization_id: UUID, role: Role) -> bool:
    try:
        authorize(actor, organization_id, PERMISSION).check_can_grant(role)
    except DomainError:
        return False
    return True
