"""Queued invitations that nobody could accept: their mail is held back until an admin has fixed them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select, update

from invite_app.db import session
from invite_app.models import IS_PENDING, IS_QUEUED, Invitation, OutboxMessage
from invite_app.models.types import now

# The next attempt of a message that is held back: no delivery process finds it due.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
IS_HELD = OutboxMessage.next_attempt_at == NEVER
_IS_CLOSED = OutboxMessage.invitation_id.in_(select(Invitation.id).where(~IS_PENDING))


def must_wait(invitation: Invitation) -> bool:
    """Return whether its sender lost permission, its role was deleted, or its domain is no longer allowed."""
    return invitation.inviter_lost_right or invitation.role_id is None or invitation.domain_not_allowed


def release(organization_id: UUID) -> None:
    """Queue the held messages of an organization whose invitations can be accepted again."""
    session().flush()
    _queue(OutboxMessage.organization_id == organization_id, OutboxMessage.invitation_id.in_(_acceptable()))


def release_one(invitation: Invitation) -> None:
    """Queue the message of an invitation that was fixed, if it is held."""
    _queue(OutboxMessage.invitation_id == invitation.id)


def release_among(invitation_ids: Iterable[UUID]) -> None:
    """Queue the held messages of those of these invitations that can be accepted by now."""
    wanted = list(invitation_ids)
    _queue(OutboxMessage.invitation_id.in_(_acceptable().where(Invitation.id.in_(wanted))))


def has_ended() -> bool:
    """Return whether a message is held whose invitation is closed."""
    return session().scalar(select(OutboxMessage.id).where(IS_QUEUED, IS_HELD, _IS_CLOSED).limit(1)) is not None


def release_ended() -> None:
    """Queue the held messages of closed invitations, so that a worker records why they were not sent."""
    _queue(_IS_CLOSED)


def _acceptable() -> Select[UUID]:
    return select(Invitation.id).where(
        IS_PENDING,
        Invitation.inviter_lost_right.is_(False),
        Invitation.role_id.is_not(None),
        Invitation.domain_not_allowed.is_(False),
    )


def _queue(*conditions: ColumnElement[bool]) -> None:
    session().execute(
        update(OutboxMessage).where(and_(IS_QUEUED, IS_HELD, *conditions)).values(next_attempt_at=now()),
        execution_options={"synchronize_session": False},
    )
