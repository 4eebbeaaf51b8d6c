"""flask api-key: the keys with which programs act."""

import click

from invite_app.services import accounts, api_keys, organizations

from .commands import OPERATOR, Commands
from .output import Result

group = Commands("api-key", help="Create, list and revoke API keys.")


@group.command("create")
@click.argument("organization")
@click.option("--name", required=True, help="What the key is for.")
@click.option("--role", required=True, help="What it may do: owner, admin, member or a role of the organization.")
@click.option("--user", "email", metavar="EMAIL", help="The member it acts for; the first owner unless given.")
def create(organization: str, name: str, role: str, email: str | None) -> Result:
    """Create a key, which is shown only this once."""
    organization_id = organizations.resolve_id(organization)
    user_id = accounts.get_by_email(email).id if email else None
    made, secret = api_keys.create(organization_id, name=name, role=role, by=OPERATOR, user_id=user_id)
    return Result({"api_key_id": made.id, "api_key": secret}, hint="The key is shown only now.")


@group.command("list")
@click.argument("organization")
def list_all(organization: str) -> Result:
    """List the keys of an organization, without the revoked ones."""
    found = api_keys.list_all(organizations.resolve_id(organization), by=OPERATOR)
    return Result(
        [
            {
                "api_key_id": api_key.id,
                "prefix": api_key.prefix,
                "name": api_key.name,
                "role": api_key.role.name,
                "user": api_key.user.email,
                "expires_at": api_key.expires_at,
                "last_used_at": api_key.last_used_at,
            }
            for api_key in found
        ]
    )


@group.command("revoke")
@click.argument("api_key_id")
def revoke(api_key_id: str) -> Result:
    """Revoke a key, which then never acts again."""
    api_keys.revoke(api_keys.find_organization_id(api_key_id), api_key_id, by=OPERATOR)
    return Result({"api_key_id": api_key_id}, message="Revoked.")
