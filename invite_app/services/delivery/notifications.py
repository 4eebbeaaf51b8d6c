"""Mails that notify inviters of the invitee's response."""

from sqlalchemy import exists, select

from invite_app.db import session
from invite_app.models import Invitation, OutboxMessage, User
from invite_app.services import inviter_mail

from . import outbox


def notify_inviter(kind: str, invitation: Invitation) -> None:
    """Queue a mail to the inviter, as part of the caller's transaction.

    Only to a person who may still see invitations: a program reads the API, and an operator is nobody's colleague.
    """
    if (inviter := _inviter(invitation)) is not None:
        outbox.enqueue_notification(kind, inviter, organization=invitation.organization, about=invitation)


def was_notified(kind: str, invitation: Invitation) -> bool:
    """Check if a notification of this kind was queued for the invitation."""
    told = exists().where(OutboxMessage.about_id == invitation.id, OutboxMessage.kind == kind)
    return bool(session().scalar(select(told)))


def _inviter(invitation: Invitation) -> User | None:
    if invitation.inviter_kind != "person" or invitation.inviter is None:
        return None
    can_receive = inviter_mail.can_receive(invitation.inviter.id, invitation.organization_id)
    return invitation.inviter if can_receive else None
