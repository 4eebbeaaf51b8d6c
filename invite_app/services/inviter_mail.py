"""Mail to inviters about the responses of invitees: only members who may see invitations get it."""

from uuid import UUID

from sqlalchemy import select, update

from invite_app.access import UserActor, authorize
from invite_app.db import session
from invite_app.errors import DomainError
from invite_app.models import IS_QUEUED, DeliveryState, OutboxMessage

# Kinds of messages in the outbox.
DECLINED, ASKED = "declined", "asked"
WITHDRAWN = "the recipient may not see invitations any more"


def can_receive(user_id: UUID, organization_id: UUID) -> bool:
    """Return whether this person may see the organization's invitations."""
    try:
        authorize(UserActor(user_id), organization_id, "invitations:read")
    except DomainError:
        return False
    return True


def withdraw(organization_id: UUID, user_id: UUID | None = None) -> None:
    """Cancel queued mail to people who may not see invitations any more; only to one of them if named.

    Part of the caller's transaction.
    """
    queued = IS_QUEUED & (OutboxMessage.organization_id == organization_id)
    queued &= OutboxMessage.kind.in_((DECLINED, ASKED)) & OutboxMessage.lease.is_(None)
    if user_id is not None:
        queued &= OutboxMessage.user_id == user_id
    for recipient_id in session().scalars(select(OutboxMessage.user_id).where(queued).distinct()).all():
        if recipient_id and not can_receive(recipient_id, organization_id):
            session().execute(
                update(OutboxMessage)
                .where(queued, OutboxMessage.user_id == recipient_id)
                .values(state=DeliveryState.FAILED, reason=WITHDRAWN)
            )
