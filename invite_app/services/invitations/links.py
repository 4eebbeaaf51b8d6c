"""The invitation behind the token of a link."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm.attributes import set_committed_value

from invite_app import tokens
from invite_app.bounds import bounds
from invite_app.db import has_row_locks
from invite_app.errors import InvalidLink
from invite_app.models import Invitation, Organization, Role, User, Workspace, invitation_workspaces
from invite_app.reading import Question, Reader, ask, attach

# Stands for the organization of those who come with a link.
INVITEES = "invitees"

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
_LOCKED_PLACE = Reader(
    select(Organization)
    .where(
        Organization.id
        == select(Invitation.organization_id).where(Invitation.id == bindparam("id")).scalar_subquery()
    )
    .with_for_update(key_share=True)
)


def find(parsed: tokens.Token) -> Invitation:
    """The invitation behind a genuine token, with all that its page shows. Raises InvalidLink."""
    return _read(parsed)


def lock(parsed: tokens.Token, prefetch: Sequence[Question] = ()) -> tuple[Invitation, Organization]:
    """The invitation behind a genuine token, read under its organization's lock, and what is asked `along`.

    Raises InvalidLink, and ServiceBusy when too many wait behind links.
    """
    lock = [_LOCKED_PLACE.question(id=parsed.id)] if has_row_locks() else []
    # The organization is not known yet, so those who wait for one behind a link share one bound.
    with bounds().organizations.required_place(INVITEES):
        invitation = _read(parsed, before=lock, after=prefetch)
    return invitation, invitation.organization


def _read(parsed: tokens.Token, *, before: Sequence[Question] = (), after: Sequence[Question] = ()) -> Invitation:
    asked, rooms = _WITH_PARTS.question(id=parsed.id), _WORKSPACES.question(id=parsed.id)
    ask(*before, asked, rooms, *after)
    if not asked.rows or not tokens.is_valid(parsed, "invitation", asked.rows[0][0].nonce):
        raise InvalidLink
    found, *parts = asked.rows[0]
    invitation: Invitation = attach(found)
    for name, part in zip(("organization", "role", "inviter"), parts, strict=True):
        set_committed_value(invitation, name, part and attach(part))
    set_committed_value(invitation, "workspaces", [attach(workspace) for (workspace,) in rooms.rows or ()])
    return invitation
