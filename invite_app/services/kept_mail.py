"""The local outbox: the mail that leaves nowhere because no mail server is set, for those who could have sent it."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Select, select

from invite_app.access import PersonActor
from invite_app.db import session
from invite_app.errors import InvitationUnknown
from invite_app.mail import messages
from invite_app.mail.transport import transport
from invite_app.models import Membership, OutboxMessage, Role

from . import delivery

LIMIT = 100


def list_latest(*, by: PersonActor) -> list[OutboxMessage]:
    """The newest messages that carry an invitation which this person may grant, in any organization.

    Raises InvitationUnknown when there is a mail server, and so no local outbox.
    """
    _check_is_local()
    places = _places(by)
    return [row for row in _latest(list(places)) if _may_see(places, row)]


def get(message_id: UUID, *, by: PersonActor) -> tuple[OutboxMessage, messages.MailMessage]:
    """One of these messages, as it would have been sent. Raises InvitationUnknown."""
    _check_is_local()
    row = _find(message_id)
    if row is None or not _may_see(_places(by), row):
        raise InvitationUnknown(str(message_id))
    return row, messages.invitation(row)


def _check_is_local() -> None:
    if not transport().is_local:
        raise InvitationUnknown("outbox")


def _latest(organization_ids: list[UUID]) -> list[OutboxMessage]:
    query = (
        _invitations()
        .where(OutboxMessage.organization_id.in_(organization_ids))
        .order_by(OutboxMessage.created_at.desc(), OutboxMessage.id.desc())
        .limit(LIMIT)
    )
    return list(session().scalars(query))


def _find(message_id: UUID) -> OutboxMessage | None:
    found: OutboxMessage | None = session().scalar(_invitations().where(OutboxMessage.id == message_id))
    return found


def _invitations() -> Select[OutboxMessage]:
    return delivery.complete().where(OutboxMessage.kind == "invitation")


def _places(by: PersonActor) -> dict[UUID, frozenset[str]]:
    """What this person may do, by organization."""
    query = select(Membership.organization_id, Role).join(Role, Role.id == Membership.role_id)
    rows = session().execute(query.where(Membership.user_id == by.user_id))
    return {organization_id: frozenset(role.permissions) for organization_id, role in rows}


def _may_see(places: Mapping[UUID, frozenset[str]], row: OutboxMessage) -> bool:
    own = places.get(row.organization_id, frozenset()) if row.organization_id else frozenset()
    role = row.invitation.role if row.invitation else None
    return role is not None and "invitations:write" in own and own.issuperset(role.permissions)
