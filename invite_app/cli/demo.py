"""flask demo: something to look at."""

from invite_app.services import demo

from .commands import Commands
from .links import sign_in_url
from .output import Result

commands = Commands()


@commands.command("demo")
def fill() -> Result:
    """Make an organization with made-up people and invitations in every state, and say how to sign in."""
    organization, owner = demo.fill()
    facts = {"organization_id": organization.id, "owner_email": owner.email, "password": demo.PASSWORD}
    return Result(
        facts | {"sign_in_url": sign_in_url(owner.email)},
        message=f"Created {organization.name} with {organization.members_count} members.",
        hint="The link signs in once, within 15 minutes; the password works as long as the demo is there.",
    )
