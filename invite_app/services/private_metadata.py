"""Private metadata of members and invitations, which are for those who may write them."""

from typing import Any

from invite_app.access import Principal
from invite_app.models import Invitation, Membership


def visible(principal: Principal, of: Membership | Invitation) -> dict[str, Any]:
    """Return the private metadata, or nothing to an actor who may only read such a row."""
    needed = "members:write" if isinstance(of, Membership) else "invitations:write"
    return of.private_metadata if principal.can(needed) else {}
