"""Bulk actions on invitations: preview and apply.

Every invitation is checked by itself, in the preview and again before the change. An invitation that fails its check
is skipped and reported with the error.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from invite_app.access import Actor, Principal, authorize, organization_transaction
from invite_app.db import session
from invite_app.errors import DomainError, InvitationPending, SeatLimitReached, TooManyRows
from invite_app.models import Invitation, InvitationState
from invite_app.models.types import now
from invite_app.services import validation

from . import checks, drafts, expiry, filters, lists, queries, steps
from .filters import Filter

MAX_SELECTED = 10_000
# Invitations changed in one transaction; other writers get the organization's lock between chunks.
CHUNK_SIZE = 100


@dataclass(frozen=True)
class Skipped:
    invitation: Invitation
    why: DomainError


@dataclass(frozen=True)
class BulkResult:
    """The invitations that were changed, or would be in a preview, and those skipped."""

    done: list[Invitation]
    left_out: list[Skipped]

    @property
    def total(self) -> int:
        return len(self.done) + len(self.left_out)


class BulkAction:
    """An action on many invitations.

    `begin` runs once, `prepare` before each chunk, to load what `check` needs.
    """

    def begin(self, principal: Principal) -> None:
        """Raise an error that prevents the whole action."""

    def prepare(self, principal: Principal, invitations: Sequence[Invitation]) -> None:
        pass

    def check(self, principal: Principal, invitation: Invitation) -> None:
        """Raise the error for which this invitation is skipped."""
        raise NotImplementedError

    def do(self, principal: Principal, invitation: Invitation) -> None:
        raise NotImplementedError


class Revoke(BulkAction):
    def check(self, principal: Principal, invitation: Invitation) -> None:
        steps.check_state(invitation, steps.PENDING)

    def do(self, principal: Principal, invitation: Invitation) -> None:
        steps.revoke_invitation(principal, invitation)


class Extend(BulkAction):
    def check(self, principal: Principal, invitation: Invitation) -> None:
        steps.check_state(invitation, steps.PENDING)
        steps.check_can_grant(principal, invitation)

    def do(self, principal: Principal, invitation: Invitation) -> None:
        steps.extend_invitation(principal, invitation)


class SendAgain(BulkAction):
    """Resend invitations. Expired ones take seats and addresses, so they are checked in order."""

    def begin(self, principal: Principal) -> None:
        """Raises RateLimited."""
        checks.check_inviter_rate(principal)

    def prepare(self, principal: Principal, invitations: Sequence[Invitation]) -> None:
        moment = now()
        expired = [
            invitation.email for invitation in invitations if invitation.state_at(moment) == InvitationState.EXPIRED
        ]
        self._unavailable = checks.unavailable(principal.organization.id, expired) if expired else {}
        self._room = checks.seats_left(principal.organization)

    def check(self, principal: Principal, invitation: Invitation) -> None:
        steps.check_state(invitation, steps.RESENDABLE)
        steps.check_can_grant(principal, invitation)
        validation.check_domain_allowed(invitation.email, principal.organization.allowed_domains)
        if invitation.state_at(now()) == InvitationState.EXPIRED:
            self._check_may_reopen(principal, invitation)

    def do(self, principal: Principal, invitation: Invitation) -> None:
        steps.resend(principal, invitation, in_bulk=True)

    def _check_may_reopen(self, principal: Principal, invitation: Invitation) -> None:
        organization = principal.organization
        drafts.check_redirects(organization, invitation)
        checks.check_plan(organization)
        if error := self._unavailable.get(invitation.email):
            raise error
        if self._room is not None:
            if self._room <= 0:
                raise SeatLimitReached(organization.seat_limit or 0)
            self._room -= 1
        self._unavailable[invitation.email] = InvitationPending(invitation.email, invitation.id, now())


def preview_bulk(organization_id: UUID | str, only: Filter, action: BulkAction, *, by: Actor) -> BulkResult:
    """Preview the action on all invitations that match. Raises TooManyRows for more than `MAX_SELECTED`."""
    principal = authorize(by, organization_id, "invitations:write")
    selected = _find(principal, only)
    action.prepare(principal, selected)
    result = BulkResult([], [])
    for invitation in selected:
        _add(result, invitation, _error(action.check, principal, invitation))
    return result


def apply_bulk(organization_id: UUID | str, only: Filter, action: BulkAction, *, by: Actor) -> BulkResult:
    """Apply the action to all invitations that match, except those that fail its check.

    Raises TooManyRows, and for resending RateLimited, before anything is changed.
    """
    selected = [invitation.id for invitation in _find(authorize(by, organization_id, "invitations:write"), only)]
    result = BulkResult([], [])
    for start in range(0, len(selected), CHUNK_SIZE):
        with organization_transaction(organization_id, by=by, needs="invitations:write") as principal:
            expiry.expire_overdue(principal.organization)
            if start == 0:
                action.begin(principal)
            present = _present(principal, only, selected[start : start + CHUNK_SIZE])
            action.prepare(principal, present)
            outcomes = [
                (invitation, _error(action.check, principal, invitation) or _error(action.do, principal, invitation))
                for invitation in present
            ]
        for invitation, error in outcomes:
            _add(result, invitation, error)
    return result


def _find(principal: Principal, only: Filter) -> list[Invitation]:
    principal.check_can("invitations:read")
    invitations = lists.everything(principal, only, limit=MAX_SELECTED + 1)
    if len(invitations) > MAX_SELECTED:
        raise TooManyRows(lists.count(principal, only), MAX_SELECTED)
    return invitations


def _present(principal: Principal, only: Filter, invitation_ids: Sequence[UUID]) -> list[Invitation]:
    """Load those invitations that still match the role and search of the filter, in the given order.

    The state is not filtered again: `BulkAction.check` reports invitations that were closed in the meantime.
    """
    still = Filter(role=only.role, fragment=only.fragment, invitation_ids=invitation_ids)
    fitting = filters.narrowed(principal, still).fitting
    query = queries.complete().where(Invitation.id.in_(fitting))
    by_id = {invitation.id: invitation for invitation in session().scalars(query)}
    return [by_id[invitation_id] for invitation_id in invitation_ids if invitation_id in by_id]


def _error(
    step: Callable[[Principal, Invitation], None], principal: Principal, invitation: Invitation
) -> DomainError | None:
    try:
        step(principal, invitation)
    except DomainError as error:
        return error
    return None


def _add(result: BulkResult, invitation: Invitation, error: DomainError | None) -> None:
    if error is None:
        result.done.append(invitation)
    else:
        result.left_out.append(Skipped(invitation, error))
