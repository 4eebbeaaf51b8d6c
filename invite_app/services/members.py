"""Members: listed, given another role or other workspaces, removed, and let go."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, and_, func, select, update
from sqlalchemy.orm import joinedload, selectinload

from invite_app.access import Actor, Standing, authorize, locked
from invite_app.db import session
from invite_app.errors import LastOwner, MembershipUnknown
from invite_app.models import ApiKey, Membership, Role
from invite_app.models.base import now
from invite_app.models.role import OWNER

from . import audit, cursors, endings, roles, workspaces

BY_NAME: cursors.Order[Membership] = cursors.Order(
    (Membership.sort_name, Membership.id),
    lambda row: (row.sort_name, row.id),
)


def list_page(
    organization_id: UUID | str, *, by: Actor, cursor: str | None = None, limit: int = 25
) -> cursors.Page[Membership]:
    """Members by name, with person, role and workspaces."""
    standing = authorize(by, organization_id, "members:read")
    query = _with_everything().where(Membership.organization_id == standing.organization.id)
    return cursors.fetch(query, BY_NAME, total=standing.organization.members_count, cursor=cursor, limit=limit)


def get(organization_id: UUID | str, user_id: UUID | str, *, by: Actor) -> Membership:
    """One member with person, role and workspaces. Raises MembershipUnknown."""
    standing = authorize(by, organization_id, "members:read")
    return _get(standing.organization.id, user_id)


def memberships_of(user_id: UUID) -> list[Membership]:
    """What a person belongs to, with role and workspaces."""
    return list(session().scalars(_with_everything().where(Membership.user_id == user_id)))


def find(organization_id: UUID, user_id: UUID) -> Membership | None:
    """The membership itself, for services that are inside their transaction."""
    query = select(Membership).where(Membership.organization_id == organization_id, Membership.user_id == user_id)
    found: Membership | None = session().scalar(query)
    return found


def change_role(organization_id: UUID | str, user_id: UUID | str, role: str, *, by: Actor) -> Membership:
    """Raises MembershipUnknown, RoleUnknown, RoleAboveOwn, MemberAboveOwn and LastOwner."""
    with locked(organization_id, by=by, needs="members:write") as standing:
        membership = _get(standing.organization.id, user_id)
        granted = roles.get(standing.organization.id, role)
        standing.check_may_change(membership.user_id, membership.role)
        standing.check_may_grant(granted)
        if granted.id != membership.role_id:
            if not granted.is_owner:
                _check_not_last_owner(membership)
            before = membership.role.name
            membership.role, membership.role_id = granted, granted.id
            _record(standing, "member.role_changed", membership, {"role": before}, {"role": granted.name})
    return membership


def change_workspaces(
    organization_id: UUID | str, user_id: UUID | str, workspace_ids: Sequence[UUID | str], *, by: Actor
) -> Membership:
    """Raises MembershipUnknown, WorkspaceUnknown and MemberAboveOwn."""
    with locked(organization_id, by=by, needs="members:write") as standing:
        membership = _get(standing.organization.id, user_id)
        standing.check_may_change(membership.user_id, membership.role)
        before = [workspace.name for workspace in membership.workspaces]
        membership.workspaces = workspaces.get_many(standing.organization.id, workspace_ids)
        after = [workspace.name for workspace in membership.workspaces]
        if before != after:
            _record(
                standing,
                "member.workspaces_changed",
                membership,
                {"workspaces": before},
                {"workspaces": after},
            )
    return membership


def remove(organization_id: UUID | str, user_id: UUID | str, *, by: Actor) -> None:
    """End a membership, and with it the person's keys here and the pending invitations to them.

    Invitations sent by them stay, and are checked again when somebody accepts. Raises MembershipUnknown,
    MemberAboveOwn and LastOwner.
    """
    with locked(organization_id, by=by, needs="members:write") as standing:
        membership = _get(standing.organization.id, user_id)
        standing.check_may_change(membership.user_id, membership.role)
        _end(standing, membership, "member.removed")


def leave(organization_id: UUID | str, *, by: Actor) -> None:
    """End one's own membership. Raises LastOwner."""
    with locked(organization_id, by=by) as standing:
        assert standing.user is not None
        _end(standing, _get(standing.organization.id, standing.user.id), "member.left")


def _end(standing: Standing, membership: Membership, action: str) -> None:
    _check_not_last_owner(membership)
    organization = standing.organization
    session().execute(
        update(ApiKey)
        .where(
            ApiKey.organization_id == organization.id,
            ApiKey.user_id == membership.user_id,
            ApiKey.revoked_at.is_(None),
        )
        .values(revoked_at=now())
    )
    endings.revoke_those_to(organization, membership.user.email)
    audit.record(organization.id, standing, action, membership, before={"role": membership.role.name})
    session().delete(membership)
    organization.members_count -= 1


def _check_not_last_owner(membership: Membership) -> None:
    if not membership.role.is_owner:
        return
    owners = select(func.count()).where(
        Membership.organization_id == membership.organization_id, Membership.role_id == membership.role_id
    )
    if session().scalar(owners) == 1:
        raise LastOwner


def first_owner(organization_id: UUID) -> Membership | None:
    """The owner of longest standing, with the person."""
    query = (
        select(Membership)
        .join(Role, and_(Role.id == Membership.role_id, Role.is_built_in, Role.key == OWNER))
        .options(joinedload(Membership.user))
        .where(Membership.organization_id == organization_id)
        .order_by(Membership.created_at, Membership.id)
        .limit(1)
    )
    found: Membership | None = session().scalar(query)
    return found


def _with_everything() -> Select[Membership]:
    return select(Membership).options(
        joinedload(Membership.user, innerjoin=True),
        joinedload(Membership.role, innerjoin=True),
        selectinload(Membership.workspaces),
    )


def _get(organization_id: UUID, user_id: UUID | str) -> Membership:
    try:
        wanted = user_id if isinstance(user_id, UUID) else UUID(user_id)
    except ValueError:
        raise MembershipUnknown(str(user_id)) from None
    query = _with_everything().where(Membership.organization_id == organization_id, Membership.user_id == wanted)
    membership: Membership | None = session().scalar(query)
    if membership is None:
        raise MembershipUnknown(str(user_id))
    return membership


def _record(
    standing: Standing,
    action: str,
    membership: Membership,
    before: dict[str, object],
    after: dict[str, object],
) -> None:
    audit.record(standing.organization.id, standing, action, membership, before=before, after=after)
