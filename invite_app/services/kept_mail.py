"""The local outbox: the mail that leaves nowhere because no mail server is set, for those who could have sent it."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Select, select

from invite_app.access import PersonActor
from invite_app.db import session
from invite_app.errors import InvitationUnknown
from invite_app.mail import messages
from invite_app.mail.transport import transport
from invite_app.models import Membership, OutboxMessage, Role

from . import cursors, delivery
from .inviters import RIGHT

LIMIT = 50
NEWEST: cursors.Order[OutboxMessage] = cursors.Order(
    (OutboxMessage.created_at, OutboxMessage.id), lambda row: (row.created_at, row.id), descending=True
)


def list_page(*, by: PersonActor, cursor: str | None = None, limit: int = LIMIT) -> cursors.Page[OutboxMessage]:
    """The newest messages that carry an invitation which this person may grant, in any organization.

    A page may hold fewer than `limit`, since roles are compared when it is read. Raises InvitationUnknown when there
    is a mail server, and so no local outbox.
    """
    _check_is_local()
    places = _places(by)
    inviting = [place for place, own in places.items() if RIGHT in own]
    query = _invitations().where(OutboxMessage.organization_id.in_(inviting))
    page = cursors.fetch(query, NEWEST, total=0, cursor=cursor, limit=limit)
    return replace(page, items=[row for row in page.items if _may_see(places, row)])


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
    return role is not None and RIGHT in own and own.issuperset(role.permissions)
