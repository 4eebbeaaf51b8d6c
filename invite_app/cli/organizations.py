"""flask org: organizations, their plan and their seats."""

import sys
from typing import Any
from uuid import UUID

import click

from invite_app.access import authorize
from invite_app.errors import AccountExists
from invite_app.models import Organization, Plan
from invite_app.services import accounts, api_keys, organizations, validation

from .commands import BY_OPERATOR, OPERATOR, Commands, password_option, read_password
from .links import sign_in_url
from .output import Facts, Result

group = Commands("org", help="Create, list, change and delete organizations.")
PLANS = click.Choice([plan.value for plan in Plan])


class Seats(click.ParamType[int | None]):
    """A number of seats, or `none` for no limit."""

    name = "seats"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        return None if value == "none" else int(click.IntRange(1, 10_000_000).convert(value, param, ctx))


@group.command("create")
@click.argument("name")
@click.option("--owner", required=True, metavar="EMAIL", help="The first owner; an account is made when missing.")
@click.option("--given-name", help="Of a new owner; the part before the @ unless given.")
@click.option("--family-name", default="", help="Of a new owner.")
@click.option("--plan", type=PLANS, default=Plan.PAID.value, show_default=True)
@click.option(
    "--seats", type=click.IntRange(1, 10_000_000), help="How many members and invitations; no limit unless given."
)
@click.option("--allowed-origin", "allowed_origins", multiple=True, metavar="URL", help="Where links may lead on to.")
@password_option
def create(
    *,
    name: str,
    owner: str,
    given_name: str | None,
    family_name: str,
    plan: str,
    seats: int | None,
    allowed_origins: tuple[str, ...],
    password_stdin: bool,
) -> Result:
    """Create an organization with its owner, a key with the owner's rights, and a link to sign in."""
    password = read_password(password_stdin)
    founding = organizations.NewOrganization(name, plan, seats, allowed_origins)
    founder = organizations.NewOwner(owner, given_name or _local_part(owner), family_name, password)
    if password is not None and accounts.find_by_email(validation.email(owner)):
        raise AccountExists(validation.email(owner))
    organization, user = organizations.create(founding, founder, by=BY_OPERATOR)
    facts: Facts = {"organization_id": organization.id, "owner_user_id": user.id, "owner_email": user.email}
    _, facts["api_key"] = api_keys.create(facts["organization_id"], name="Owner", role="owner", by=OPERATOR)
    facts["sign_in_url"] = sign_in_url(facts["owner_email"])
    return Result(
        facts,
        message=f"Created {name.strip()}.",
        hint="The key is shown only now. The link signs in once, within 15 minutes.",
    )


@group.command("list")
def list_all() -> Result:
    """List all organizations."""
    return Result([_summary(organization) for organization in organizations.list_all()])


@group.command("plan")
@click.argument("organization")
@click.argument("plan", type=PLANS)
def change_plan(organization: str, plan: str) -> Result:
    """Change the plan. On the free plan nobody can be invited; nothing ends."""
    changed = organizations.change(
        organizations.resolve_id(organization), organizations.Changes(plan=plan), by=OPERATOR
    )
    return Result(_summary(changed), message=f"{changed.name} is on the {plan} plan.")


@group.command("seats")
@click.argument("organization")
@click.argument("seats", type=Seats())
def change_seats(organization: str, seats: int | None) -> Result:
    """Change how many members and invitations there may be: a number, or 'none' for no limit. Nothing ends."""
    changed = organizations.change(
        organizations.resolve_id(organization), organizations.Changes(seat_limit=seats), by=OPERATOR
    )
    return Result(_summary(changed), message=f"{changed.name} has {seats or 'any number of'} seats.")


@group.command("delete")
@click.argument("organization")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(organization: str, yes: bool) -> Result:
    """Delete an organization with its memberships, invitations, workspaces, roles and keys. Accounts stay, and its
    audit log does for a year: flask audit export.
    """
    organization_id = organizations.resolve_id(organization)
    name = authorize(OPERATOR, organization_id).organization.name
    if not yes and sys.stdin.isatty():
        click.confirm(f"Delete {name} and everything in it?", abort=True, err=True)
    organizations.delete(organization_id, by=OPERATOR)
    return Result({"organization_id": organization_id}, message=f"Deleted {name}.")


def _change(organization: str, **changes: Any) -> Organization:
    return organizations.change(organizations.resolve_id(organization), organizations.Changes(**changes), by=OPERATOR)


def _local_part(address: str) -> str:
    return address.strip().partition("@")[0]


def _summary(organization: Organization) -> Facts:
    identity: dict[str, UUID | str] = {
        "organization_id": organization.id,
        "slug": organization.slug,
        "name": organization.name,
        "plan": organization.plan,
    }
    return identity | {
        "seats": organization.seat_limit,
        "members": organization.members_count,
        "pending": organization.pending_count,
    }
