"""Sending a new invitation's message within the request that makes it: with the mail server's word, or not at all."""

from sqlalchemy import delete, select
from sqlalchemy.exc import OperationalError

from invite_app.access import lock_organization
from invite_app.bounds import bounds
from invite_app.db import session, transaction
from invite_app.errors import DeliveryFailed, InvalidEmail
from invite_app.mail import messages
from invite_app.mail.transport import AddressRefused, NotSent, Receipt, transport
from invite_app.models import IS_PENDING, Invitation, OutboxMessage
from invite_app.services import audit, rate_limits

from . import attempts, outcomes


def send_now(row: OutboxMessage, by: audit.AuditActor) -> None:
    """Send a freshly committed message within this request; without success its invitation is taken back.

    Raises InvalidEmail when the mail server knows no such mailbox, and DeliveryFailed otherwise. A message that
    is not leased to this request (queued delivery, local outbox) is left alone. When many others wait for a mail
    server that does not answer, the message is left to a delivery process, as with queued delivery.
    """
    if row.lease is None:
        return
    with bounds().mail.place() as place:
        if place is not None:
            _send(row, by)
            return
    outcomes.save_results([outcomes.released(row)])


def _send(row: OutboxMessage, by: audit.AuditActor) -> None:
    assert row.invitation is not None
    address = row.invitation.email
    try:
        receipt = transport().send(messages.invitation(row))
    except NotSent as error:
        if _take_back(row, str(error), by):
            raise _fact(address, error) from error
    except BaseException:
        _take_back(row, "the server stopped", by)
        raise
    else:
        rate_limits.note(attempts.TO_RECIPIENT, address)
        _settle(row, receipt)


def _settle(row: OutboxMessage, receipt: Receipt) -> None:
    """Write down that the message is out; once more where the connection to the database had been lost meanwhile."""
    try:
        attempts.mark_sent(row, receipt)
    except OperationalError:
        session().rollback()
        attempts.mark_sent(row, receipt)


def _take_back(row: OutboxMessage, reason: str, by: audit.AuditActor) -> bool:
    """Remove the invitation, if it is still pending and its message still leased to us; whether it was."""
    invitation, lease = row.invitation, row.lease
    assert invitation is not None
    invitation_id, organization_id = invitation.id, invitation.organization_id
    with transaction() as writing:
        organization = lock_organization(organization_id)
        if writing.get(Invitation, invitation_id) is None:
            return False
        ours = select(OutboxMessage.id).where(
            OutboxMessage.invitation_id == invitation_id, OutboxMessage.lease == lease
        )
        removed = writing.execute(
            delete(Invitation)
            .where(
                Invitation.id == invitation_id,
                IS_PENDING,
                ours.exists(),
            )
            .execution_options(synchronize_session=False)
        )
        if not removed.rowcount:  # type: ignore[attr-defined]  # a DELETE's result has a row count
            return False
        organization.pending_count -= 1
        audit.record(organization_id, by, "invitation.delivery_failed", invitation, after={"reason": reason})
    return True


def _fact(address: str, error: NotSent) -> Exception:
    if isinstance(error, AddressRefused):
        return InvalidEmail(address, f"The mail server refused this address: {error}.")
    return DeliveryFailed(str(error))
