"""Find and lock the invitation behind a link."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm.attributes import set_committed_value

from invite_app import tokens
from invite_app.bounds import bounds
from invite_app.db import is_postgresql
from invite_app.db.reading import Question, Reader, ask, attach
from invite_app.errors import InvalidLink
from invite_app.models import Invitation, Organization, Role, User, Workspace, invitation_workspaces
from invite_app.services import copied_links

# Key of the concurrency limit that all link requests share.
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
_LOCKED_ORGANIZATION = Reader(
    select(Organization)
    .where(
        Organization.id
        == select(Invitation.organization_id).where(Invitation.id == bindparam("id")).scalar_subquery()
    )
    .with_for_update(key_share=True)
)


def find(parsed: tokens.Token) -> Invitation:
    """Return the invitation of a token, with the relations that its page shows. Raises InvalidLink."""
    return _read(parsed)


def lock(parsed: tokens.Token, prefetch: Sequence[Question] = ()) -> tuple[Invitation, Organization]:
    """Lock the organization and return the invitation of a token. `prefetch` queries run in the same round trip.

    Raises InvalidLink, and ServiceBusy when too many link requests wait.
    """
    lock = [_LOCKED_ORGANIZATION.question(id=parsed.id)] if is_postgresql() else []
    # The organization is not known yet, so all link requests share one limit.
    with bounds().organizations.required_place(INVITEES):
        invitation = _read(parsed, before=lock, after=prefetch)
    return invitation, invitation.organization


def _read(parsed: tokens.Token, *, before: Sequence[Question] = (), after: Sequence[Question] = ()) -> Invitation:
    query, workspaces = _WITH_PARTS.question(id=parsed.id), _WORKSPACES.question(id=parsed.id)
    ask(*before, query, workspaces, *after)
    if not query.rows or not tokens.is_valid(parsed, "invitation", query.rows[0][0].nonce):
        raise InvalidLink
    detached, *parts = query.rows[0]
    invitation: Invitation = attach(detached)
    for name, part in zip(("organization", "role", "inviter"), parts, strict=True):
        set_committed_value(invitation, name, part and attach(part))
    set_committed_value(invitation, "workspaces", [attach(workspace) for (workspace,) in workspaces.rows or ()])
    if not copied_links.is_usable(parsed, invitation):
        raise InvalidLink
    return invitation
