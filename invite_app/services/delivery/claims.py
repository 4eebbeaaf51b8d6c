"""Claim due messages for a worker, each with the rows that its text is built from.

They are read without the session, in a few queries for all messages; rows that several share are loaded once.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, bindparam, select, update
from uuid_utils.compat import uuid4

from invite_app.db import prepared
from invite_app.db.reading import Reader, ask, refer
from invite_app.models import (
    IS_QUEUED,
    AccountLink,
    Invitation,
    Organization,
    OutboxMessage,
    User,
    Workspace,
)
from invite_app.models.engines import Among
from invite_app.models.types import Base

from . import queries

_UNSEEN = (Invitation.public_metadata, Invitation.private_metadata)
_DUE = select(OutboxMessage.id).where(IS_QUEUED, OutboxMessage.next_attempt_at <= bindparam("now"))
_FIRST_DUE = _DUE.limit(1)
_NEXT_DUE = (
    _DUE.order_by(OutboxMessage.next_attempt_at)
    .limit(bindparam("limit", type_=Integer))
    .with_for_update(skip_locked=True)
)
_LEASE = (
    update(OutboxMessage)
    .where(Among(OutboxMessage.id, "ids"))
    .values(lease=bindparam("lease"), next_attempt_at=bindparam("until"))
)
_MESSAGES = Reader(
    select(OutboxMessage, Invitation)
    .outerjoin(Invitation, Invitation.id == OutboxMessage.invitation_id)
    .where(Among(OutboxMessage.id, "ids"))
    .order_by(OutboxMessage.created_at, OutboxMessage.id),
    without=_UNSEEN,
)
_PARTS: dict[type[Base], Reader] = {
    model: Reader(select(model).where(Among(model.id, "ids")), without=_UNSEEN)
    for model in (Organization, User, AccountLink, Invitation)
}


def has_due(moment: datetime) -> bool:
    return prepared.first(_FIRST_DUE, {"now": moment}) is not None


def take(limit: int, moment: datetime, *, until: datetime) -> list[OutboxMessage]:
    """Lease those that are due next, as part of the caller's transaction.

    They are read in it too: what nobody could read any more would wait for its lease to run out.
    """
    ids = [row_id for (row_id,) in prepared.rows(_NEXT_DUE, {"now": moment, "limit": limit})]
    if not ids:
        return []
    prepared.execute(_LEASE, {"ids": ids, "lease": uuid4(), "until": until})
    return _complete(_MESSAGES.all(ids=ids))


def _complete(found: Sequence[tuple[OutboxMessage, Invitation | None]]) -> list[OutboxMessage]:
    """The messages with what they refer to, each an object that many may share."""
    messages = [message for message, _ in found]
    known, rooms = _read(messages, [invitation for _, invitation in found if invitation])
    for message, invitation in found:
        refer(
            message,
            invitation=invitation,
            user=known.get(message.user_id),
            organization=known.get(message.organization_id),
            account_link=known.get(message.account_link_id),
            about=known.get(message.about_id),
        )
        if invitation:
            refer(
                invitation,
                organization=known.get(invitation.organization_id),
                inviter=known.get(invitation.inviter_id),
                workspaces=rooms.get(invitation.id, []),
            )
    return messages


def _read(
    messages: Sequence[OutboxMessage], invitations: Sequence[Invitation]
) -> tuple[dict[UUID | None, Base], dict[UUID, list[Workspace]]]:
    """Load the rows that the messages refer to, by id, and the workspaces of each invitation."""
    wanted: dict[type[Base], set[UUID | None]] = {
        Organization: {one.organization_id for one in messages} | {one.organization_id for one in invitations},
        User: {one.user_id for one in messages} | {one.inviter_id for one in invitations},
        AccountLink: {one.account_link_id for one in messages},
        Invitation: {one.about_id for one in messages},
    }
    parts = [_PARTS[model].question(ids=list(ids)) for model, kept in wanted.items() if (ids := kept - {None})]
    places = queries.workspaces_of([one.id for one in invitations])
    ask(*parts, places)
    known = {row.id: row for part in parts for (row,) in part.rows or ()}
    return known, queries.workspaces_by_invitation(places)
