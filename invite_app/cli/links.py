"""flask setup-link, and the addresses that commands hand out."""

from flask import current_app

from invite_app import tokens
from invite_app.errors import AlreadySetUp
from invite_app.services import accounts, organizations

from .commands import Commands
from .output import Result

commands = Commands()


@commands.command("setup-link")
def setup_link() -> Result:
    """Show the link that sets this server up, while there is no account yet."""
    if organizations.is_set_up():
        raise AlreadySetUp
    return Result({"setup_url": setup_url()}, message="Open this link to make the first organization.")


def setup_url() -> str:
    """Return the URL that creates the first organization. It works only while there is no account."""
    return f"{current_app.config['EXTERNAL_URL']}/setup?token={tokens.setup_token()}"


def sign_in_url(address: str) -> str:
    """A link that signs this account in once, within 15 minutes. Raises InvalidEmail and UserNotFound."""
    return f"{current_app.config['EXTERNAL_URL']}/sign-in/{accounts.create_sign_in_link(address)}"
