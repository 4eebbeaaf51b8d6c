"""flask user: accounts, their data, and a way in for an owner without mail."""

import sys

import click

from invite_app.services import accounts, personal_data

from .commands import OPERATOR, Commands, password_option, read_password
from .links import sign_in_url
from .output import Result

group = Commands("user", help="Create, export and erase accounts, and make links that sign in.")


@group.command("create")
@click.argument("email")
@click.option("--given-name", required=True)
@click.option("--family-name", required=True)
@password_option
def create(email: str, given_name: str, family_name: str, password_stdin: bool) -> Result:
    """Create an account, whose address counts as proven. Without a password a sign-in link lets its owner in."""
    password = read_password(password_stdin)
    user = accounts.create(email, given_name=given_name, family_name=family_name, password=password)
    return Result({"user_id": user.id, "email": user.email}, message=f"Created an account for {user.name}.")


@group.command("export")
@click.argument("email")
def export(email: str) -> Result:
    """Export everything stored about a person. Without --json only the number of entries of each kind is shown."""
    return Result(personal_data.export(accounts.get_by_email(email).id), hint="Use --json for the data itself.")


@group.command("erase")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(email: str, yes: bool) -> Result:
    """Erase a person. The account is deleted; a pseudonym replaces the name in audit log and invitations."""
    user = accounts.get_by_email(email)
    if not yes and sys.stdin.isatty():
        click.confirm(f"Delete the account of {user.name} ({user.email}) for good?", abort=True, err=True)
    user_id = user.id
    pseudonym = personal_data.erase(user_id, by=OPERATOR)
    return Result({"user_id": user_id, "pseudonym": pseudonym}, message="Deleted the account.")


@group.command("sign-in-link")
@click.argument("email")
def sign_in_link(email: str) -> Result:
    """Make a link that signs an account in, once, within 15 minutes."""
    return Result({"sign_in_url": sign_in_url(email)}, hint="The link signs in once, within 15 minutes.")
