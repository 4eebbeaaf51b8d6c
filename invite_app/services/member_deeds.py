"""What can be done to one member, as parts of a caller's transaction, which has checked that it may be done."""

from sqlalchemy import func, select

from invite_app.access import Standing
from invite_app.db import session
from invite_app.errors import LastOwner
from invite_app.models import Membership, Role, Workspace

from . import api_key_revocation, audit, delivery, invitations, inviter_rights, member_invitations, ownership_offers


def set_role(standing: Standing, membership: Membership, role: Role) -> None:
    """Raises LastOwner."""
    if not role.is_owner:
        check_not_last_owner(membership)
        if membership.role.is_owner:
            ownership_offers.end_those_by(standing, membership.user_id)
    before = membership.role.name
    membership.role, membership.role_id = role, role.id
    inviter_rights.review(standing.organization, membership.user_id)
    record(standing, "member.role_changed", membership, {"role": before}, {"role": role.name})


def set_workspaces(standing: Standing, membership: Membership, chosen: list[Workspace]) -> None:
    before = [workspace.name for workspace in membership.workspaces]
    after = [workspace.name for workspace in chosen]
    membership.workspaces = chosen
    if before != after:
        record(standing, "member.workspaces_changed", membership, {"workspaces": before}, {"workspaces": after})


def remove(standing: Standing, membership: Membership, *, take_over: bool = False, tell: bool = False) -> None:
    """End somebody else's membership. `take_over` makes their pending invitations the actor's, as far as the actor
    may grant them; `tell` sends them a mail. Raises LastOwner.
    """
    check_not_last_owner(membership)
    if take_over:
        member_invitations.take_over(standing, membership.user_id)
    if tell:
        delivery.enqueue_notice("removed", membership.user, organization=standing.organization)
    end(standing, membership, "member.removed")


def end(standing: Standing, membership: Membership, action: str) -> None:
    """End a membership, and with it the person's keys and ownership offers here and the invitations to them.

    Raises LastOwner.
    """
    check_not_last_owner(membership)
    organization = standing.organization
    api_key_revocation.end_all_of_member(standing, membership.user_id)
    ownership_offers.end_all_with(standing, membership.user_id)
    invitations.revoke_those_to(organization, membership.user.email)
    record(standing, action, membership, {"role": membership.role.name}, {})
    session().delete(membership)
    organization.members_count -= 1
    inviter_rights.review(organization, membership.user_id)


def check_not_last_owner(membership: Membership) -> None:
    """Raises LastOwner."""
    if membership.role.is_owner and count_owners(membership) == 1:
        raise LastOwner


def count_owners(owner: Membership) -> int:
    """How many members have the role of this one."""
    owners = select(func.count()).where(
        Membership.organization_id == owner.organization_id, Membership.role_id == owner.role_id
    )
    return session().scalar(owners) or 0


def record(
    standing: Standing,
    action: str,
    membership: Membership,
    before: dict[str, object],
    after: dict[str, object],
) -> None:
    audit.record(standing.organization.id, standing, action, membership, before=before, after=after)
