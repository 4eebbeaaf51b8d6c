"""flask user: accounts, and a way in for an owner without mail."""

import click

from invite_app.services import accounts

from .answers import Answer
from .commands import Commands, password_option, read_password
from .links import sign_in_url

group = Commands("user", help="Create accounts and links that sign in.")


@group.command("create")
@click.argument("email")
@click.option("--given-name", required=True)
@click.option("--family-name", required=True)
@password_option
def create(email: str, given_name: str, family_name: str, password_stdin: bool) -> Answer:
    """Create an account, whose address counts as proven. Without a password a sign-in link lets its owner in."""
    password = read_password(password_stdin)
    user = accounts.create(email, given_name=given_name, family_name=family_name, password=password)
    return Answer({"user_id": user.id, "email": user.email}, says=f"Created an account for {user.name}.")


@group.command("sign-in-link")
@click.argument("email")
def sign_in_link(email: str) -> Answer:
    """Make a link that signs an account in, once, within 15 minutes."""
    return Answer({"sign_in_url": sign_in_url(email)}, hint="The link signs in once, within 15 minutes.")
