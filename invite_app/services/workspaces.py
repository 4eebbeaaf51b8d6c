"""Workspaces: made, listed, renamed and deleted by admins; named by invitations and memberships."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from invite_app import ids
from invite_app.access import Actor, authorize, locked
from invite_app.db import noted, session
from invite_app.errors import NameTaken, WorkspaceUnknown
from invite_app.models import Workspace
from invite_app.models.base import folded

from . import audit, validation


def list_all(organization_id: UUID | str, *, by: Actor) -> list[Workspace]:
    """Every workspace by name. Any member may see them."""
    standing = authorize(by, organization_id)
    query = select(Workspace).where(Workspace.organization_id == standing.organization.id)
    return list(session().scalars(query.order_by(Workspace.folded_name)))


def get_by_name(organization_id: UUID | str, name: str, *, by: Actor, needs: str | None = None) -> Workspace:
    """The workspace called so, in any case. Any member may see it, unless they `need` it for something.

    Raises WorkspaceUnknown.
    """
    standing = authorize(by, organization_id, needs)
    query = select(Workspace).where(
        Workspace.organization_id == standing.organization.id, Workspace.folded_name == folded(name)
    )
    found: Workspace | None = None if validation.has_control_characters(name) else session().scalar(query)
    if found is None:
        raise WorkspaceUnknown(name)
    return found


def create(
    organization_id: UUID | str, name: str, *, by: Actor, then: Callable[[Workspace], None] = noted
) -> Workspace:
    """`then` is called inside the transaction. Raises InvalidName and NameTaken."""
    with locked(organization_id, by=by, needs="workspaces:write") as standing:
        cleaned = validation.name(name, "name", "a name")
        workspace = Workspace(organization_id=standing.organization.id, name=cleaned, folded_name=folded(cleaned))
        _save(workspace, cleaned)
        audit.record(standing.organization.id, standing, "workspace.created", workspace, after={"name": cleaned})
        then(workspace)
    return workspace


def rename(organization_id: UUID | str, workspace_id: UUID | str, name: str, *, by: Actor) -> Workspace:
    """Raises WorkspaceUnknown, InvalidName and NameTaken."""
    with locked(organization_id, by=by, needs="workspaces:write") as standing:
        cleaned = validation.name(name, "name", "a name")
        workspace = get_many(standing.organization.id, [workspace_id])[0]
        before, workspace.name, workspace.folded_name = workspace.name, cleaned, folded(cleaned)
        _save(workspace, cleaned)
        audit.record(
            standing.organization.id,
            standing,
            "workspace.renamed",
            workspace,
            before={"name": before},
            after={"name": cleaned},
        )
    return workspace


def delete(organization_id: UUID | str, workspace_id: UUID | str, *, by: Actor) -> None:
    """Members and pending invitations lose the workspace and keep the rest. Raises WorkspaceUnknown."""
    with locked(organization_id, by=by, needs="workspaces:write") as standing:
        workspace = get_many(standing.organization.id, [workspace_id])[0]
        audit.record(standing.organization.id, standing, "workspace.deleted", workspace)
        session().delete(workspace)


def get_many(organization_id: UUID, workspace_ids: Sequence[UUID | str]) -> list[Workspace]:
    """The workspaces with these ids, in that order and each once.

    Raises WorkspaceUnknown with the index of the first one that is not in this organization.
    """
    wanted = list(dict.fromkeys(_uuid(item, index) for index, item in enumerate(workspace_ids)))
    if not wanted:
        return []
    query = select(Workspace).where(Workspace.organization_id == organization_id, Workspace.id.in_(wanted))
    return pick({workspace.id: workspace for workspace in session().scalars(query)}, workspace_ids)


def pick(found: Mapping[UUID, Workspace], workspace_ids: Sequence[UUID | str]) -> list[Workspace]:
    """Those of the found workspaces, in the order of the ids and each once. Raises WorkspaceUnknown."""
    for index, item in enumerate(workspace_ids):
        if _uuid(item, index) not in found:
            raise WorkspaceUnknown(str(item), index)
    return [found[item] for item in dict.fromkeys(_uuid(item, 0) for item in workspace_ids)]


def _uuid(value: UUID | str, index: int) -> UUID:
    return ids.parse(value, WorkspaceUnknown(str(value), index))


def _save(workspace: Workspace, name: str) -> None:
    session().add(workspace)
    try:
        session().flush()
    except IntegrityError:
        raise NameTaken("workspace", name) from None
