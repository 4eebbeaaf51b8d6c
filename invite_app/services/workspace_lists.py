"""Looking at workspaces: a page of them, or one, with how many people each one concerns."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from invite_app.access import Actor, authorize
from invite_app.db import session
from invite_app.models import IS_PENDING, Invitation, Workspace, invitation_workspaces, membership_workspaces
from invite_app.models.base import now

from . import pagination, workspaces

BY_NAME: pagination.Order[Workspace] = pagination.Order(
    (Workspace.folded_name, Workspace.id), lambda row: (row.folded_name, row.id)
)


@dataclass(frozen=True)
class Use:
    """A workspace with the number of its members and of the pending invitations that name it."""

    workspace: Workspace
    members: int
    pending: int


def list_page(
    organization_id: UUID | str, *, by: Actor, cursor: str | None = None, limit: int = 25
) -> pagination.Page[Use]:
    """Workspaces by name. Any member may see them."""
    here = Workspace.organization_id == authorize(by, organization_id).organization.id
    total = session().scalar(select(func.count()).select_from(Workspace).where(here)) or 0
    page = pagination.fetch(select(Workspace).where(here), BY_NAME, total=total, cursor=cursor, limit=limit)
    return pagination.Page(_with_use(page.items), page.total, page.next, page.previous)


def get(organization_id: UUID | str, workspace_id: UUID | str, *, by: Actor) -> Use:
    """Raises WorkspaceUnknown."""
    standing = authorize(by, organization_id)
    return _with_use(workspaces.get_many(standing.organization.id, [workspace_id]))[0]


def _with_use(found: list[Workspace]) -> list[Use]:
    ids = [workspace.id for workspace in found]
    members, pending = _count_members(ids), _count_pending(ids)
    return [Use(one, members.get(one.id, 0), pending.get(one.id, 0)) for one in found]


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
