"""Read workspaces, also with how many members and invitations have each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from invite_app import ids
from invite_app.access import Actor, authorize
from invite_app.db import session
from invite_app.errors import WorkspaceNotFound
from invite_app.models import IS_PENDING, Invitation, Workspace, invitation_workspaces, membership_workspaces
from invite_app.models.types import casefolded, now
from invite_app.services import pagination, validation

BY_NAME: pagination.Order[Workspace] = pagination.Order(
    (Workspace.folded_name, Workspace.id), lambda row: (row.folded_name, row.id)
)


def list_all(organization_id: UUID | str, *, by: Actor) -> list[Workspace]:
    """Every workspace by name. Any member may see them."""
    principal = authorize(by, organization_id)
    query = select(Workspace).where(Workspace.organization_id == principal.organization.id)
    return list(session().scalars(query.order_by(Workspace.folded_name)))


def get_by_name(organization_id: UUID | str, name: str, *, by: Actor, needs: str | None = None) -> Workspace:
    """The workspace called so, in any case. Any member may see it, unless they `need` it for something.

    Raises WorkspaceNotFound.
    """
    principal = authorize(by, organization_id, needs)
    query = select(Workspace).where(
        Workspace.organization_id == principal.organization.id, Workspace.folded_name == casefolded(name)
    )
    found: Workspace | None = None if validation.has_control_characters(name) else session().scalar(query)
    if found is None:
        raise WorkspaceNotFound(name)
    return found


def get_many(organization_id: UUID, workspace_ids: Sequence[UUID | str]) -> list[Workspace]:
    """The workspaces with these ids, in that order and each once.

    Raises WorkspaceNotFound with the index of the first one that is not in this organization.
    """
    wanted = list(dict.fromkeys(_uuid(item, index) for index, item in enumerate(workspace_ids)))
    if not wanted:
        return []
    query = select(Workspace).where(Workspace.organization_id == organization_id, Workspace.id.in_(wanted))
    return select_in_order({workspace.id: workspace for workspace in session().scalars(query)}, workspace_ids)


def select_in_order(found: Mapping[UUID, Workspace], workspace_ids: Sequence[UUID | str]) -> list[Workspace]:
    """Return the workspaces in the order of the ids, without duplicates. Raises WorkspaceNotFound."""
    for index, item in enumerate(workspace_ids):
        if _uuid(item, index) not in found:
            raise WorkspaceNotFound(str(item), index)
    return [found[item] for item in dict.fromkeys(_uuid(item, 0) for item in workspace_ids)]


def _uuid(value: UUID | str, index: int) -> UUID:
    return ids.parse_id(value, WorkspaceNotFound(str(value), index))


@dataclass(frozen=True)
class WorkspaceUse:
    """A workspace with the number of its members and of the pending invitations that name it."""

    workspace: Workspace
    members: int
    pending: int


def list_with_use(
    organization_id: UUID | str, *, by: Actor, cursor: str | None = None, limit: int = 25
) -> pagination.Page[WorkspaceUse]:
    """Workspaces by name. Any member may see them."""
    here = Workspace.organization_id == authorize(by, organization_id).organization.id
    total = session().scalar(select(func.count()).select_from(Workspace).where(here)) or 0
    page = pagination.fetch(select(Workspace).where(here), BY_NAME, total=total, cursor=cursor, limit=limit)
    return pagination.Page(_with_use(page.items), page.total, page.next, page.previous)


def get_with_use(organization_id: UUID | str, workspace_id: UUID | str, *, by: Actor) -> WorkspaceUse:
    """Raises WorkspaceNotFound."""
    principal = authorize(by, organization_id)
    return _with_use(get_many(principal.organization.id, [workspace_id]))[0]


def _with_use(found: list[Workspace]) -> list[WorkspaceUse]:
    ids = [workspace.id for workspace in found]
    members, pending = _count_members(ids), _count_pending(ids)
    return [WorkspaceUse(one, members.get(one.id, 0), pending.get(one.id, 0)) for one in found]


def _count_members(ids: list[UUID]) -> dict[UUID, int]:
    links = membership_workspaces
    query = select(links.c.workspace_id, func.count()).where(links.c.workspace_id.in_(ids))
    return {row[0]: row[1] for row in session().execute(query.group_by(links.c.workspace_id))}


def _count_pending(ids: list[UUID]) -> dict[UUID, int]:
    links = invitation_workspaces
    query = (
        select(links.c.workspace_id, func.count())
        .join(Invitation, Invitation.id == links.c.invitation_id)
        .where(
            links.c.workspace_id.in_(ids),
            IS_PENDING,
            Invitation.expires_at > now(),
        )
        .group_by(links.c.workspace_id)
    )
    return {row[0]: row[1] for row in session().execute(query)}
