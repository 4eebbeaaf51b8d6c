"""Add, change and remove members."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from invite_app import ids
from invite_app.access import Actor, Principal, organization_transaction
from invite_app.db import session
from invite_app.errors import AlreadyMember, LastOwner, UserNotFound
from invite_app.models import Membership, Organization, Role, User, Workspace
from invite_app.models.members import sort_name
from invite_app.services import (
    api_key_revocation,
    audit,
    delivery,
    invitations,
    inviter_rights,
    roles,
    validation,
    workspaces,
)

from . import ownership_offers, queries, removal
from .queries import find, get_in


def add(
    organization_id: UUID | str,
    user_id: UUID | str,
    role: str,
    *,
    by: Actor,
    public_metadata: Mapping[str, Any] | None = None,
    private_metadata: Mapping[str, Any] | None = None,
) -> Membership:
    """Make an existing account with a verified address a member, and notify the person by mail.

    A pending invitation to the same address is revoked, which frees its seat.
    """
    with organization_transaction(organization_id, by=by, needs="members:write") as principal:
        organization = principal.organization
        user = _get_proven(user_id)
        validation.check_domain_allowed(user.email, organization.allowed_domains)
        granted = roles.get(organization.id, role)
        membership = Membership(
            organization_id=organization.id,
            organization=organization,
            user_id=user.id,
            user=user,
            role_id=granted.id,
            role=granted,
            workspaces=[],
            sort_name=sort_name(user),
            public_metadata=validation.metadata(public_metadata or {}, "public_metadata"),
            private_metadata=validation.metadata(private_metadata or {}, "private_metadata"),
        )
        principal.check_can_grant(granted)
        invitations.check_plan(organization)
        _check_no_member(organization, user)
        invitations.revoke_for_address(organization, user.email)
        invitations.check_seats(organization)
        invitations.check_recipient_rate(user.email)
        _insert(organization, membership)
        record_change(principal, "member.added", membership, {}, {"role": granted.name})
    return membership


def change_metadata(
    organization_id: UUID | str,
    user_id: UUID | str,
    *,
    by: Actor,
    public: Mapping[str, Any] | None = None,
    private: Mapping[str, Any] | None = None,
) -> Membership:
    """Deep-merge into the metadata; a null value removes a key."""
    with organization_transaction(organization_id, by=by, needs="members:write") as principal:
        membership = get_in(principal.organization.id, user_id)
        principal.check_can_manage(membership.user_id, membership.role)
        membership.public_metadata = validation.metadata(
            _merged(membership.public_metadata, public or {}), "public_metadata"
        )
        membership.private_metadata = validation.metadata(
            _merged(membership.private_metadata, private or {}), "private_metadata"
        )
        record_change(principal, "member.metadata_changed", membership, {}, {})
    return membership


def change_role(organization_id: UUID | str, user_id: UUID | str, role: str, *, by: Actor) -> Membership:
    return change(organization_id, user_id, by=by, role=role)


def change(
    organization_id: UUID | str,
    user_id: UUID | str,
    *,
    by: Actor,
    role: str | None = None,
    workspace_ids: Sequence[UUID | str] | None = None,
) -> Membership:
    """Change the role, the workspaces, or both; None leaves a value unchanged.

    Raises RoleNotFound, WorkspaceNotFound, CannotManageMember, CannotGrantRole and LastOwner.
    """
    with organization_transaction(organization_id, by=by, needs="members:write") as principal:
        organization = principal.organization
        membership = get_in(organization.id, user_id)
        granted = roles.get(organization.id, role) if role is not None else membership.role
        chosen = workspaces.get_many(organization.id, workspace_ids) if workspace_ids is not None else None
        principal.check_can_manage(membership.user_id, membership.role)
        principal.check_can_grant(granted)
        if granted.id != membership.role_id:
            set_role(principal, membership, granted)
        if chosen is not None:
            set_workspaces(principal, membership, chosen)
    return membership


def remove(
    organization_id: UUID | str, user_id: UUID | str, *, by: Actor, take_over: bool = False, tell: bool = False
) -> Membership:
    """Remove a member, their API keys and the pending invitation to them; return the ended membership.

    Invitations sent by them stay; `take_over` makes the actor the inviter of those that the actor may grant. `tell`
    sends the person a mail. Raises CannotManageMember and LastOwner.
    """
    with organization_transaction(organization_id, by=by, needs="members:write") as principal:
        membership = get_in(principal.organization.id, user_id)
        principal.check_can_manage(membership.user_id, membership.role)
        remove_member(principal, membership, take_over=take_over, tell=tell)
    return membership


def leave(organization_id: UUID | str, *, by: Actor) -> None:
    """End the actor's own membership. Raises LastOwner, and PermissionDenied for an API key."""
    with organization_transaction(organization_id, by=by) as principal:
        person = principal.check_is_user("members:write")
        end_membership(principal, get_in(principal.organization.id, person.id), "member.left")


def _get_proven(user_id: UUID | str) -> User:
    wanted = ids.parse_id(user_id, UserNotFound(str(user_id)))
    user = session().get(User, wanted)
    if user is None or not user.is_verified:
        raise UserNotFound(str(user_id))
    return user


def _insert(organization: Organization, membership: Membership) -> None:
    session().add(membership)
    organization.members_count += 1
    delivery.enqueue_notification("added", membership.user, organization=organization)


def _check_no_member(organization: Organization, user: User) -> None:
    if find(organization.id, user.id) is not None:
        raise AlreadyMember(user.email, user.id)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(old)
    for name, value in new.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            inner = result.get(name)
            result[name] = _merged(inner if isinstance(inner, Mapping) else {}, value)
        else:
            result[name] = value
    return result


def set_role(principal: Principal, membership: Membership, role: Role) -> None:
    """Raises LastOwner."""
    if not role.is_owner:
        check_not_last_owner(membership)
        if membership.role.is_owner:
            ownership_offers.end_those_by(principal, membership.user_id)
    before = membership.role.name
    membership.role, membership.role_id = role, role.id
    inviter_rights.refresh(principal.organization, membership.user_id)
    record_change(principal, "member.role_changed", membership, {"role": before}, {"role": role.name})


def set_workspaces(principal: Principal, membership: Membership, chosen: list[Workspace]) -> None:
    before = [workspace.name for workspace in membership.workspaces]
    after = [workspace.name for workspace in chosen]
    membership.workspaces = chosen
    if before != after:
        record_change(
            principal, "member.workspaces_changed", membership, {"workspaces": before}, {"workspaces": after}
        )


def remove_member(
    principal: Principal, membership: Membership, *, take_over: bool = False, tell: bool = False
) -> None:
    """Remove another member; see `remove`. Raises LastOwner."""
    check_not_last_owner(membership)
    if take_over:
        removal.take_over(principal, membership.user_id)
    if tell:
        delivery.enqueue_notification("removed", membership.user, organization=principal.organization)
    end_membership(principal, membership, "member.removed")


def end_membership(principal: Principal, membership: Membership, action: str) -> None:
    """End a membership with its API keys, ownership offers and pending invitations. Raises LastOwner."""
    check_not_last_owner(membership)
    organization = principal.organization
    api_key_revocation.end_all_of_member(principal, membership.user_id)
    ownership_offers.end_all_with(principal, membership.user_id)
    invitations.revoke_for_address(organization, membership.user.email)
    record_change(principal, action, membership, {"role": membership.role.name}, {})
    session().delete(membership)
    organization.members_count -= 1
    inviter_rights.refresh(organization, membership.user_id)


def check_not_last_owner(membership: Membership) -> None:
    """Raises LastOwner."""
    if membership.role.is_owner and queries.count_owners(membership) == 1:
        raise LastOwner


def record_change(
    principal: Principal,
    action: str,
    membership: Membership,
    before: dict[str, object],
    after: dict[str, object],
) -> None:
    audit.record(principal.organization.id, principal, action, membership, before=before, after=after)
