"""The same deed for many members: judged person by person, before as a preview and again when it is done.

Nobody stands in another's way: whoever it cannot be done to is left out and named with the reason.
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

CHUNK_SIZE = 100
"""How many people are changed in one transaction, so that others get their turn in between."""


class SkipReason(StrEnum):
    """Why somebody is left out."""

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
    """To whom it is (or was) done, and who is left out."""

    done: list[Membership]
    left_out: list[Skipped]

    @property
    def total(self) -> int:
        return len(self.done) + len(self.left_out)


class BulkAction:
    """What is to be done. `prepare` reads what it takes; the rest is asked and told person by person."""

    not_oneself = True
    ends_ownership = True

    def prepare(self, principal: Principal) -> None:
        """Raises what stands in the way of everybody."""

    def changes(self, member: Membership) -> bool:
        return True

    def do(self, principal: Principal, member: Membership) -> None:
        raise NotImplementedError


@dataclass
class ChangeRole(BulkAction):
    """Without a role, which is only good for a preview, it is one that nobody has and that is no owner's."""

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
    """Puts people into workspaces, or with `out` takes them out of these; their others stay."""

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
    """What would become of everybody whom the filter lets through. Raises what `apply` raises."""
    principal = authorize(by, organization_id, "members:write")
    action.prepare(principal)
    return _judged(principal, lists.everybody(principal, only), action)


def apply_bulk(organization_id: UUID | str, only: Filter, action: BulkAction, *, by: Actor) -> BulkResult:
    """Do it to everybody whom the filter lets through and nothing speaks for leaving out.

    Raises RoleNotFound, CannotGrantRole and WorkspaceNotFound; then nobody was changed.
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
    """The last of the owners stays, so the earlier ones in the list go first."""
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
