"""Workspaces by name, and inviting somebody into one."""

from typing import Any
from uuid import UUID

from pydantic import Field

from invite_app.access import Actor
from invite_app.api.dialect import ErrorResponse, ErrorTable
from invite_app.api.fastapi_errors import not_found
from invite_app.api.idempotency_key import StoreResponse
from invite_app.api.schema import Schema
from invite_app.errors import WorkspaceNotFound
from invite_app.models import Workspace
from invite_app.services import invitations, workspaces

from .dialect import deepset
from .invitations import InvitationShown, WorkspaceUserInvitation
from .invitations import shown as invitation_shown


class WorkspaceShown(Schema):
    """Languages and idling are the published API's; nothing here has any."""

    name: str
    workspace_id: UUID
    languages: dict[str, Any] = Field(default={})
    default_idle_timeout_in_seconds: int = 0


class WorkspaceName(Schema):
    name: str


ONE = "/workspaces/{workspace_name}"
IN_PATH: ErrorTable = {WorkspaceNotFound: ErrorResponse(404, not_found)}


@deepset.endpoint("GET", "/workspaces")
def list_workspaces(organization_id: UUID | str, by: Actor) -> list[WorkspaceShown]:
    """The organization's workspaces by name."""
    return [shown(workspace) for workspace in workspaces.list_all(organization_id, by=by)]


@deepset.endpoint("POST", "/workspaces", status=201, permission="workspaces:write")
def create_workspace(
    organization_id: UUID | str, body: WorkspaceName, by: Actor, keep: StoreResponse
) -> WorkspaceShown:
    """Makes a workspace."""
    return shown(workspaces.create(organization_id, body.name, by=by, then=keep(shown)))


@deepset.endpoint("GET", ONE, errors=IN_PATH)
def get_workspace(organization_id: UUID | str, workspace_name: str, by: Actor) -> WorkspaceShown:
    """One workspace."""
    return shown(workspaces.get_by_name(organization_id, workspace_name, by=by))


@deepset.endpoint("PATCH", ONE, permission="workspaces:write", errors=IN_PATH)
def rename_workspace(
    organization_id: UUID | str, workspace_name: str, body: WorkspaceName, by: Actor
) -> WorkspaceShown:
    """Gives a workspace another name."""
    workspace = workspaces.get_by_name(organization_id, workspace_name, by=by, needs="workspaces:write")
    return shown(workspaces.rename(organization_id, workspace.id, body.name, by=by))


@deepset.endpoint("DELETE", ONE, status=204, permission="workspaces:write", errors=IN_PATH)
def delete_workspace(organization_id: UUID | str, workspace_name: str, by: Actor) -> None:
    """Deletes a workspace; members and invitations lose it and keep the rest."""
    workspace = workspaces.get_by_name(organization_id, workspace_name, by=by, needs="workspaces:write")
    workspaces.delete(organization_id, workspace.id, by=by)


@deepset.endpoint("POST", ONE + "/invitation", status=201, permission="invitations:write", errors=IN_PATH)
def invite_user_to_workspace(
    organization_id: UUID | str, workspace_name: str, body: WorkspaceUserInvitation, by: Actor, keep: StoreResponse
) -> InvitationShown:
    """Sends an email to the user inviting them to the organization and this workspace."""
    workspace = workspaces.get_by_name(organization_id, workspace_name, by=by, needs="invitations:write")
    draft = invitations.Draft(**body.model_dump(), workspace_ids=[workspace.id])
    return invitation_shown(invitations.send(organization_id, draft, by=by, then=keep(invitation_shown)))


def shown(workspace: Workspace) -> WorkspaceShown:
    return WorkspaceShown(name=workspace.name, workspace_id=workspace.id)
