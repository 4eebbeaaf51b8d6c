"""The current user, and the roles of members."""

from uuid import UUID

from pydantic import Field

from invite_app.access import Actor
from invite_app.api.dialect import ErrorResponse, ErrorTable
from invite_app.errors import CannotGrantRole, RoleNotFound
from invite_app.services import accounts, members

from .dialect import saying, trieve
from .schemas import Payload, SlimUser, WantedRole, role_name, shown_user

ABOVE_OWN = ErrorResponse(400, saying("Can not grant a user a higher role than that of the requesting user's"))
GRANTING: ErrorTable = {CannotGrantRole: ABOVE_OWN, RoleNotFound: ABOVE_OWN}


class UpdateUserOrgRole(Payload):
    """JSON request payload to update a user's role"""

    role: WantedRole = Field(description="Either 0 (user), 1 (admin), or 2 (owner).")
    user_id: UUID | None = Field(default=None, description="Whose role to update; your own if not provided.")


@trieve.endpoint("GET", "/auth/me")
def get_me(by: Actor) -> SlimUser:
    """Gets who you are and your organizations; with an API key, whom it acts for, and the key's organization."""
    identity = accounts.get_identity(by)
    return shown_user(identity.user, [(place.membership, place.organization) for place in identity.places])


@trieve.endpoint("PUT", "/user", status=204, permission="members:write", errors=GRANTING)
def update_user(organization_id: UUID | str, body: UpdateUserOrgRole, by: Actor) -> None:
    """Gives a member of the organization another role."""
    user_id = body.user_id or members.get_own(organization_id, by=by).user_id
    members.change_role(organization_id, user_id, role_name(body.role), by=by)
