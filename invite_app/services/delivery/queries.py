"""Load messages and invitations with everything that their mail is built of."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import defer, joinedload, selectinload

from invite_app.db.reading import Question, Reader
from invite_app.models import Invitation, OutboxMessage, Workspace, invitation_workspaces
from invite_app.models.engines import Among

_WORKSPACES = Reader(
    select(invitation_workspaces.c.invitation_id, Workspace)
    .join(Workspace, Workspace.id == invitation_workspaces.c.workspace_id)
    .where(Among(invitation_workspaces.c.invitation_id, "ids"))
    .order_by(Workspace.folded_name)
)


def with_relations() -> Select[OutboxMessage]:
    """Messages with everything they are built of; what many of them share is read once."""
    return select(OutboxMessage).options(
        joinedload(OutboxMessage.invitation).options(
            selectinload(Invitation.organization),
            selectinload(Invitation.inviter),
            selectinload(Invitation.role),
            selectinload(Invitation.workspaces),
            defer(Invitation.public_metadata),
            defer(Invitation.private_metadata),
        ),
        selectinload(OutboxMessage.user),
        selectinload(OutboxMessage.organization),
        selectinload(OutboxMessage.account_link),
        selectinload(OutboxMessage.about),
    )


def workspaces_of(ids: Sequence[UUID]) -> Question:
    """Return the query for the workspaces of these invitations."""
    return _WORKSPACES.question(ids=ids)


def workspaces_by_invitation(answered: Question) -> dict[UUID, list[Workspace]]:
    """The workspaces of each invitation that has any, by name."""
    found: dict[UUID, list[Workspace]] = {}
    for invitation_id, workspace in answered.rows or ():
        found.setdefault(invitation_id, []).append(workspace)
    return found
