"""Bulk actions on members: preview and apply.

Every member is checked by itself, in the preview and again before the change. A member that fails a check is skipped
and reported with the reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from invite_app.access import Actor, Principal, authorize, organization_transaction
from invite_app.errors import CannotManageMember
from invite_app.models import Membership, Role, Workspace
from invite_app.services import roles, workspaces

from . import actions, lists, queries
from .filters import Filter

# Members changed in one transaction; other writers get the organization's lock between chunks.
CHUNK_SIZE = 100


class SkipReason(StrEnum):
    """The reason why a member is skipped."""

    YOURSELF = "yourself"
    ABOVE_OWN = "above own"
    LAST_OWNER = "last owner"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Skipped:
    member: Membership
    obstacle: SkipReason


@dataclass(frozen=True)
class BulkResult:
    """The members that were changed, or would be in a preview, and those skipped."""

    done: list[Membership]
    left_out: list[Skipped]

    @property
    def total(self) -> int:
        return len(self.done) + len(self.left_out)


class BulkAction:
    """An action on many members. `prepare` runs before each chunk, to load what the action needs."""

    not_oneself = True
    ends_ownership = True

    def prepare(self, principal: Principal) -> None:
        """Raise an error that prevents the whole action."""

    def changes(self, member: Membership) -> bool:
        return True

    def do(self, principal: Principal, member: Membership) -> None:
        raise NotImplementedError


@dataclass
class ChangeRole(BulkAction):
    """Change the role. An empty name, for a preview, is a role that nobody has and that is not the owner role."""

    name: str

    def prepare(self, principal: Principal) -> None:
        """Raises RoleNotFound and CannotGrantRole."""
        self._role: Role | None = roles.get(principal.organization.id, self.name) if self.name else None
        if self._role is not None:
            principal.check_can_grant(self._role)
            self.ends_ownership = not self._role.is_owner

    def changes(self, member: Membership) -> bool:
        return self._role is None or member.role_id != self._role.id

    def do(self, principal: Principal, member: Membership) -> None:
        assert self._role is not None
        actions.set_role(principal, member, self._role)


@dataclass
class ChangeWorkspaces(BulkAction):
    """Add members to workspaces, or with `out` remove them; other workspaces stay."""

    workspace_ids: list[str]
    out: bool = False
    not_oneself = False
    ends_ownership = False

    def prepare(self, principal: Principal) -> None:
        """Raises WorkspaceNotFound."""
        self._chosen = workspaces.get_many(principal.organization.id, self.workspace_ids)

    def changes(self, member: Membership) -> bool:
        return not self.workspace_ids or self._after(member) != {one.id for one in member.workspaces}

    def do(self, principal: Principal, member: Membership) -> None:
        all_of_them = {one.id: one for one in [*member.workspaces, *self._chosen]}
        after = [all_of_them[one] for one in self._after(member)]
        actions.set_workspaces(principal, member, sorted(after, key=_name))

    def _after(self, member: Membership) -> set[UUID]:
        before, chosen = {one.id for one in member.workspaces}, {one.id for one in self._chosen}
        return before - chosen if self.out else before | chosen


@dataclass
class Remove(BulkAction):
    take_over: bool = False
    tell: bool = False

    def do(self, principal: Principal, member: Membership) -> None:
        actions.remove_member(principal, member, take_over=self.take_over, tell=self.tell)


def preview_bulk(organization_id: UUID | str, only: Filter, action: BulkAction, *, by: Actor) -> BulkResult:
    """Preview the action on all members that match. Raises the errors of `apply_bulk`."""
    principal = authorize(by, organization_id, "members:write")
    action.prepare(principal)
    return _judged(principal, lists.everybody(principal, only), action)


def apply_bulk(organization_id: UUID | str, only: Filter, action: BulkAction, *, by: Actor) -> BulkResult:
    """Apply the action to all members that match, except those that fail a check.

    Raises RoleNotFound, CannotGrantRole and WorkspaceNotFound; nobody is changed then.
    """
    principal = authorize(by, organization_id, "members:write")
    wanted = [member.user_id for member in lists.everybody(principal, only)]
    report = BulkResult([], [])
    for start in range(0, len(wanted), CHUNK_SIZE):
        with organization_transaction(organization_id, by=by, needs="members:write") as principal:
            action.prepare(principal)
            present = lists.everybody(principal, Filter(user_ids=wanted[start : start + CHUNK_SIZE]))
            judged = _judged(principal, present, action)
            for member in judged.done:
                action.do(principal, member)
        report.done.extend(judged.done)
        report.left_out.extend(judged.left_out)
    return report


def _judged(principal: Principal, members: Iterable[Membership], action: BulkAction) -> BulkResult:
    """Check the members in order; the last remaining owner is skipped."""
    report, owners = BulkResult([], []), 0
    for member in members:
        owners = owners or (queries.count_owners(member) if member.role.is_owner else 0)
        if obstacle := _obstacle(principal, member, action, owners):
            report.left_out.append(Skipped(member, obstacle))
        else:
            owners -= member.role.is_owner and action.ends_ownership
            report.done.append(member)
    return report


def _obstacle(principal: Principal, member: Membership, action: BulkAction, owners: int) -> SkipReason | None:
    is_oneself = principal.user is not None and principal.user.id == member.user_id
    try:
        principal.check_can_manage(member.user_id, member.role)
    except CannotManageMember:
        return SkipReason.ABOVE_OWN
    if member.role.is_owner and action.ends_ownership and owners == 1:
        return SkipReason.LAST_OWNER
    if action.not_oneself and is_oneself:
        return SkipReason.YOURSELF
    return None if action.changes(member) else SkipReason.UNCHANGED


def _name(workspace: Workspace) -> str:
    return workspace.folded_name
