"""Create, rename and delete workspaces."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from invite_app.access import Actor, organization_transaction
from invite_app.db import ignore, session
from invite_app.errors import NameTaken
from invite_app.models import Workspace
from invite_app.models.types import casefolded
from invite_app.services import audit, validation

from . import queries


def create(
    organization_id: UUID | str, name: str, *, by: Actor, then: Callable[[Workspace], None] = ignore
) -> Workspace:
    """`then` is called inside the transaction. Raises InvalidName and NameTaken."""
    with organization_transaction(organization_id, by=by, needs="workspaces:write") as principal:
        cleaned = validation.name(name, "name", "a name")
        workspace = Workspace(
            organization_id=principal.organization.id, name=cleaned, folded_name=casefolded(cleaned)
        )
        _save(workspace, cleaned)
        audit.record(principal.organization.id, principal, "workspace.created", workspace, after={"name": cleaned})
        then(workspace)
    return workspace


def rename(organization_id: UUID | str, workspace_id: UUID | str, name: str, *, by: Actor) -> Workspace:
    """Raises WorkspaceNotFound, InvalidName and NameTaken."""
    with organization_transaction(organization_id, by=by, needs="workspaces:write") as principal:
        cleaned = validation.name(name, "name", "a name")
        workspace = queries.get_many(principal.organization.id, [workspace_id])[0]
        before, workspace.name, workspace.folded_name = workspace.name, cleaned, casefolded(cleaned)
        _save(workspace, cleaned)
        audit.record(
            principal.organization.id,
            principal,
            "workspace.renamed",
            workspace,
            before={"name": before},
            after={"name": cleaned},
        )
    return workspace


def delete(organization_id: UUID | str, workspace_id: UUID | str, *, by: Actor) -> None:
    """Members and pending invitations lose the workspace and keep the rest. Raises WorkspaceNotFound."""
    with organization_transaction(organization_id, by=by, needs="workspaces:write") as principal:
        workspace = queries.get_many(principal.organization.id, [workspace_id])[0]
        audit.record(principal.organization.id, principal, "workspace.deleted", workspace)
        session().delete(workspace)


def _save(workspace: Workspace, name: str) -> None:
    session().add(workspace)
    try:
        session().flush()
    except IntegrityError:
        raise NameTaken("workspace", name) from None
