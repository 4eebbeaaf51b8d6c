"""Send invitations, one by one or a list of which all are sent or none."""

from collections.abc import Callable, Sequence
from uuid import UUID

from invite_app import ids
from invite_app.access import Actor, Principal, organization_transaction
from invite_app.db import ignore
from invite_app.errors import DuplicateRow, OrganizationNotFound, TooManyRows
from invite_app.models import Invitation
from invite_app.services import audit, delivery, validation

from . import checks, drafts
from .drafts import Asked, Draft

MAX_ROWS = 10


def send(
    organization_id: UUID | str, draft: Draft, *, by: Actor, then: Callable[[Invitation], None] = ignore
) -> Invitation:
    """Invite a person by mail. With immediate delivery the mail server has the message when this returns.

    `then` is called with the invitation inside the transaction, so that what it writes is kept or lost with it.

    Raises InvalidEmail, InvalidName, InvalidNote, InvalidLifetime, DomainNotAllowed, RoleNotFound,
    WorkspaceNotFound, RedirectNotAllowed, CannotGrantRole, PlanUpgradeRequired, AlreadyMember, InvitationPending,
    SeatLimitReached and DeliveryFailed, the first that applies; then nothing is kept.
    """
    catalog = Asked(ids.parse_id(organization_id, OrganizationNotFound()), draft.email, draft.role)
    with organization_transaction(
        organization_id, by=by, needs="invitations:write", prefetch=catalog.questions
    ) as principal:
        invitation = _add(principal, draft, catalog)
        then(invitation)
    if invitation.message is not None:
        delivery.send_now(invitation.message, audit.audit_actor(principal))
    return invitation


def add(principal: Principal, draft: Draft) -> Invitation:
    """The checked invitation of a list with its message, as part of the caller's transaction."""
    return _add(principal, draft, Asked(principal.organization.id, draft.email, draft.role), in_bulk=True)


def _add(principal: Principal, draft: Draft, catalog: Asked, *, in_bulk: bool = False) -> Invitation:
    invitation = drafts.build(principal, draft, catalog)
    assert catalog.look is not None
    checks.check_can_invite(principal, catalog.look, in_bulk=in_bulk, by_mail=draft.notify)
    granted = {"role": invitation.role_name}
    event = audit.new_event(principal.organization.id, principal, "invitation.sent", invitation, after=granted)
    if draft.notify:
        message = invitation.message = delivery.new_message(invitation, at_once=not in_bulk)
        drafts.insert(principal.organization, invitation, message, event)
    else:
        drafts.insert(principal.organization, invitation, event)
    return invitation


def send_all_or_none(organization_id: UUID | str, rows: Sequence[drafts.Draft], *, by: Actor) -> list[Invitation]:
    """Invite everybody on the list, in its order; the mails are queued.

    Raises TooManyRows, DuplicateRow and, for the first draft that something stands in the way of, what
    `invitations.send` raises; then nobody is invited.
    """
    with organization_transaction(organization_id, by=by, needs="invitations:write") as principal:
        if len(rows) > MAX_ROWS:
            raise TooManyRows(len(rows), MAX_ROWS)
        _check_repeats(rows)
        sent = [add(principal, draft) for draft in rows]
        checks.check_inviter_rate(principal)
    return sent


def _check_repeats(rows: Sequence[drafts.Draft]) -> None:
    first: dict[str, int] = {}
    for row, draft in enumerate(rows, start=1):
        address = validation.email(draft.email)
        if first.setdefault(address, row) != row:
            raise DuplicateRow(address, first[address])
