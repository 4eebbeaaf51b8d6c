"""The invitation behind the token of a link."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm.attributes import set_committed_value

from invite_app import tokens
from invite_app.access import lock_organization
from invite_app.db import has_row_locks, session
from invite_app.errors import LinkBroken
from invite_app.models import Invitation, Organization, Role, User, Workspace, invitation_workspaces
from invite_app.reading import Reader, attach

_WITH_PARTS = Reader(
    select(Invitation, Organization, Role, User)
    .join(Organization, Organization.id == Invitation.organization_id)
    .outerjoin(Role, Role.id == Invitation.role_id)
    .outerjoin(User, User.id == Invitation.inviter_id)
    .where(Invitation.id == bindparam("id"))
)
_WORKSPACES = Reader(
    select(Workspace)
    .join(invitation_workspaces, invitation_workspaces.c.workspace_id == Workspace.id)
    .where(invitation_workspaces.c.invitation_id == bindparam("id"))
    .order_by(Workspace.folded_name)
)
_PLACE = select(Invitation.organization_id).where(Invitation.id == bindparam("id"))


def find(parsed: tokens.Token) -> Invitation:
    """The invitation behind a genuine token, with all that its page shows. Raises LinkBroken."""
    row = _WITH_PARTS.first(id=parsed.id)
    if row is None or not tokens.is_genuine(parsed, "invitation", row[0].nonce):
        raise LinkBroken
    invitation: Invitation = attach(row[0])
    for name, part in zip(("organization", "role", "inviter"), row[1:], strict=True):
        set_committed_value(invitation, name, part and attach(part))
    workspaces = [attach(workspace) for (workspace,) in _WORKSPACES.all(id=parsed.id)]
    set_committed_value(invitation, "workspaces", workspaces)
    return invitation


def lock(parsed: tokens.Token) -> tuple[Invitation, Organization]:
    """The invitation behind a genuine token, read under its organization's lock. Raises LinkBroken."""
    if has_row_locks():
        organization_id = session().scalar(_PLACE, {"id": parsed.id})
        if organization_id is None:
            raise LinkBroken
        lock_organization(organization_id)
    invitation = find(parsed)
    return invitation, invitation.organization
