"""flask workspace: the workspaces of an organization."""

import click

from invite_app.services import organizations, workspaces

from .commands import OPERATOR, Commands
from .output import Result

group = Commands("workspace", help="Create and list workspaces.")


@group.command("create")
@click.argument("organization")
@click.argument("name")
def create(organization: str, name: str) -> Result:
    """Create a workspace in an organization."""
    made = workspaces.create(organizations.resolve_id(organization), name, by=OPERATOR)
    return Result({"workspace_id": made.id, "name": made.name}, message=f"Created {made.name}.")


@group.command("list")
@click.argument("organization")
def list_all(organization: str) -> Result:
    """List the workspaces of an organization."""
    found = workspaces.list_all(organizations.resolve_id(organization), by=OPERATOR)
    return Result([{"workspace_id": workspace.id, "name": workspace.name} for workspace in found])
