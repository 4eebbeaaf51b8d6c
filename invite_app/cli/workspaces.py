"""flask workspace: the workspaces of an organization."""

import click

from invite_app.services import organizations, workspaces

from .commands import OPERATOR, Commands
from .output import Answer

group = Commands("workspace", help="Create and list workspaces.")


@group.command("create")
@click.argument("organization")
@click.argument("name")
def create(organization: str, name: str) -> Answer:
    """Create a workspace in an organization."""
    made = workspaces.create(organizations.resolve_id(organization), name, by=OPERATOR)
    return Answer({"workspace_id": made.id, "name": made.name}, says=f"Created {made.name}.")


@group.command("list")
@click.argument("organization")
def list_all(organization: str) -> Answer:
    """List the workspaces of an organization."""
    found = workspaces.list_all(organizations.resolve_id(organization), by=OPERATOR)
    return Answer([{"workspace_id": workspace.id, "name": workspace.name} for workspace in found])
