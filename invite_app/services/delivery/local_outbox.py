"""The local outbox: mail that goes nowhere because no mail server is set, for members who could have sent it.

Its links are of the copied kind, since a member reads them, and not the owner of the mailbox.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import selectinload

from invite_app.access import Principal, UserActor, authorize, organization_transaction
from invite_app.db import session
from invite_app.errors import InvitationNotFound
from invite_app.mail import messages
from invite_app.mail.transport import transport
from invite_app.models import AuditEvent, Invitation, Membership, OutboxMessage
from invite_app.models.types import now
from invite_app.services import audit, copied_links, pagination

from . import queries

LIMIT = 50
# A member who looks at the same message again within this time is recorded once.
RECORD_EVERY = timedelta(hours=1)
VIEWED = "invitation.link_viewed"
NEWEST: pagination.Order[OutboxMessage] = pagination.Order(
    (OutboxMessage.created_at, OutboxMessage.id), lambda row: (row.created_at, row.id), descending=True
)


def list_local(*, by: UserActor, cursor: str | None = None, limit: int = LIMIT) -> pagination.Page[OutboxMessage]:
    """Return the newest messages that carry a link which this person may see, in any organization.

    A page may hold fewer than `limit`, since roles are compared when it is read. Raises InvitationNotFound when there
    is a mail server, and so no local outbox.
    """
    _check_is_local()
    standings = _standings(by)
    inviting = [organization_id for organization_id, one in standings.items() if one.can("invitations:write")]
    query = _invitations().where(OutboxMessage.organization_id.in_(inviting))
    page = pagination.fetch(query, NEWEST, total=0, cursor=cursor, limit=limit)
    return replace(page, items=[row for row in page.items if _may_see(standings, row)])


def get_local(message_id: UUID, *, by: UserActor) -> tuple[OutboxMessage, messages.MailMessage]:
    """Return one of these messages, as it would have been sent but for its link, and record who looked at it.

    Raises InvitationNotFound.
    """
    _check_is_local()
    row = _find(message_id)
    if row is None or not _may_see(_standings(by), row):
        raise InvitationNotFound(str(message_id))
    if not _is_recorded(row, by):
        _record_view(row, by)
        row = _find(message_id)
    assert row is not None
    assert row.invitation is not None
    return row, messages.invitation(row, token=copied_links.new_token(row.invitation, by))


def _check_is_local() -> None:
    if not transport().is_local:
        raise InvitationNotFound("outbox")


def _find(message_id: UUID) -> OutboxMessage | None:
    found: OutboxMessage | None = session().scalar(_invitations().where(OutboxMessage.id == message_id))
    return found


def _invitations() -> Select[OutboxMessage]:
    return queries.with_relations().where(OutboxMessage.kind == "invitation")


def _standings(by: UserActor) -> dict[UUID, Principal]:
    """Return this person's standing in each of their organizations."""
    query = select(Membership.organization_id).where(Membership.user_id == by.user_id)
    return {organization_id: authorize(by, organization_id) for organization_id in session().scalars(query)}


def _may_see(standings: Mapping[UUID, Principal], row: OutboxMessage) -> bool:
    principal = standings.get(row.organization_id) if row.organization_id else None
    return principal is not None and row.invitation is not None and principal.can_see_link(row.invitation.role)


def _is_recorded(row: OutboxMessage, by: UserActor) -> bool:
    """Return whether this person's look is recorded. A message sent again may carry a new link."""
    since = max(now() - RECORD_EVERY, row.sent_at or row.created_at)
    events = exists().where(
        AuditEvent.target_id == row.invitation_id,
        AuditEvent.at > since,
        AuditEvent.action == VIEWED,
        AuditEvent.actor_id == by.user_id,
    )
    return bool(session().scalar(select(events)))


def _record_view(row: OutboxMessage, by: UserActor) -> None:
    assert row.organization_id is not None
    with organization_transaction(row.organization_id, by=by) as principal:
        wanted = select(Invitation).options(selectinload(Invitation.role)).where(Invitation.id == row.invitation_id)
        invitation = session().scalar(wanted)
        if invitation is None or not principal.can_see_link(invitation.role):
            raise InvitationNotFound(str(row.id))
        invitation.link_copied = True
        audit.record(principal.organization.id, principal, VIEWED, invitation)
