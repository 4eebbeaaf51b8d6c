"""Send a single invitation, or a short list in one transaction."""

from collections.abc import Callable, Sequence
from uuid import UUID

from invite_app import ids
from invite_app.access import Actor, Principal, organization_transaction
from invite_app.db import ignore
from invite_app.errors import DuplicateRow, OrganizationNotFound, TooManyRows
from invite_app.models import Invitation
from invite_app.services import audit, delivery, validation

from . import checks, drafts
from .drafts import Draft, SingleLookup

MAX_ROWS = 10


def send(
    organization_id: UUID | str, draft: Draft, *, by: Actor, then: Callable[[Invitation], None] = ignore
) -> Invitation:
    """Invite a person by mail. With immediate delivery, the mail server has accepted the message on return.

    `then` is called with the invitation inside the transaction.

    Raises InvalidEmail, InvalidName, InvalidNote, InvalidLifetime, DomainNotAllowed, RoleNotFound,
    WorkspaceNotFound, RedirectNotAllowed, CannotGrantRole, PlanUpgradeRequired, AlreadyMember, InvitationPending,
    SeatLimitReached and DeliveryFailed, in this order; nothing is stored then.
    """
    catalog = SingleLookup(ids.parse_id(organization_id, OrganizationNotFound()), draft.email, draft.role)
    with organization_transaction(
        organization_id, by=by, needs="invitations:write", prefetch=catalog.questions
    ) as principal:
        invitation = _add(principal, draft, catalog)
        then(invitation)
    if invitation.message is not None:
        delivery.send_now(invitation.message, audit.audit_actor(principal))
    return invitation


def add(principal: Principal, draft: Draft) -> Invitation:
    """Insert one invitation of a list, and its message, in the caller's transaction."""
    return _add(principal, draft, SingleLookup(principal.organization.id, draft.email, draft.role), in_bulk=True)


def _add(principal: Principal, draft: Draft, catalog: SingleLookup, *, in_bulk: bool = False) -> Invitation:
    invitation = drafts.build(principal, draft, catalog)
    assert catalog.address_status is not None
    checks.check_can_invite(principal, catalog.address_status, in_bulk=in_bulk, by_mail=draft.notify)
    granted = {"role": invitation.role_name}
    event = audit.new_event(principal.organization.id, principal, "invitation.sent", invitation, after=granted)
    if draft.notify:
        message = invitation.message = delivery.new_message(invitation, at_once=not in_bulk)
        drafts.insert(principal.organization, invitation, message, event)
    else:
        drafts.insert(principal.organization, invitation, event)
    return invitation


def send_all_or_none(organization_id: UUID | str, rows: Sequence[drafts.Draft], *, by: Actor) -> list[Invitation]:
    """Invite everybody on the list, or nobody; the mails are queued.

    Raises TooManyRows, DuplicateRow, and for the first invalid row what `send` raises.
    """
    with organization_transaction(organization_id, by=by, needs="invitations:write") as principal:
        if len(rows) > MAX_ROWS:
            raise TooManyRows(len(rows), MAX_ROWS)
        _check_no_duplicates(rows)
        sent = [add(principal, draft) for draft in rows]
        checks.check_inviter_rate(principal)
    return sent


def _check_no_duplicates(rows: Sequence[drafts.Draft]) -> None:
    first: dict[str, int] = {}
    for row, draft in enumerate(rows, start=1):
        address = validation.email(draft.email)
        if first.setdefault(address, row) != row:
            raise DuplicateRow(address, first[address])
