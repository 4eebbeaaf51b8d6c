"""The same deed for many invitations: judged one by one, before as a preview and again when it is done.

None stands in another's way: those it cannot be done to are left out, each with the fact that keeps it out.
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
CHUNK_SIZE = 100
"""How many are changed in one transaction, so that others get their turn in between."""


@dataclass(frozen=True)
class Skipped:
    invitation: Invitation
    why: DomainError


@dataclass(frozen=True)
class BulkResult:
    """To which it is (or was) done, and which are left out."""

    done: list[Invitation]
    left_out: list[Skipped]

    @property
    def total(self) -> int:
        return len(self.done) + len(self.left_out)


class BulkAction:
    """What is to be done. `begin` counts it as one act, `prepare` reads what it takes to judge these invitations."""

    def begin(self, principal: Principal) -> None:
        """Raises what stands in the way of all."""

    def prepare(self, principal: Principal, invitations: Sequence[Invitation]) -> None:
        pass

    def check(self, principal: Principal, invitation: Invitation) -> None:
        """Raises what keeps this one out."""
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
    """Expired ones take seats and addresses, so they are judged in their order, each after those before it."""

    def begin(self, principal: Principal) -> None:
        """Raises RateLimited."""
        checks.check_inviter_rate(principal)

    def prepare(self, principal: Principal, invitations: Sequence[Invitation]) -> None:
        moment = now()
        expired = [one.email for one in invitations if one.state_at(moment) == InvitationState.EXPIRED]
        self._taken = checks.unavailable(principal.organization.id, expired) if expired else {}
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
        if fact := self._taken.get(invitation.email):
            raise fact
        if self._room is not None:
            if self._room <= 0:
                raise SeatLimitReached(organization.seat_limit or 0)
            self._room -= 1
        self._taken[invitation.email] = InvitationPending(invitation.email, invitation.id, now())


def preview_bulk(organization_id: UUID | str, only: Filter, action: BulkAction, *, by: Actor) -> BulkResult:
    """What would become of all that the filter lets through. Raises TooManyRows when that is more than MOST."""
    principal = authorize(by, organization_id, "invitations:write")
    found = _find(principal, only)
    action.prepare(principal, found)
    report = BulkResult([], [])
    for invitation in found:
        _put(report, invitation, _fact(action.check, principal, invitation))
    return report


def apply_bulk(organization_id: UUID | str, only: Filter, action: BulkAction, *, by: Actor) -> BulkResult:
    """Do it to all that the filter lets through and nothing speaks for leaving out.

    Raises TooManyRows, and for sending again RateLimited; then nothing was changed.
    """
    wanted = [one.id for one in _find(authorize(by, organization_id, "invitations:write"), only)]
    report = BulkResult([], [])
    for start in range(0, len(wanted), CHUNK_SIZE):
        with organization_transaction(organization_id, by=by, needs="invitations:write") as principal:
            expiry.expire_overdue(principal.organization)
            if start == 0:
                action.begin(principal)
            present = _present(principal, only, wanted[start : start + CHUNK_SIZE])
            action.prepare(principal, present)
            judged = [
                (one, _fact(action.check, principal, one) or _fact(action.do, principal, one)) for one in present
            ]
        for invitation, fact in judged:
            _put(report, invitation, fact)
    return report


def _find(principal: Principal, only: Filter) -> list[Invitation]:
    principal.check_can("invitations:read")
    found = lists.everything(principal, only, limit=MAX_SELECTED + 1)
    if len(found) > MAX_SELECTED:
        raise TooManyRows(lists.count(principal, only), MAX_SELECTED)
    return found


def _present(principal: Principal, only: Filter, invitation_ids: Sequence[UUID]) -> list[Invitation]:
    """Those that are still there, and what the filter asked for by name, in this order, with all that deeds touch.

    Their states are the deeds' to judge, which tell of those that ended meanwhile.
    """
    still = Filter(role=only.role, fragment=only.fragment, invitation_ids=invitation_ids)
    fitting = filters.narrowed(principal, still).fitting
    query = queries.complete().where(Invitation.id.in_(fitting))
    found = {one.id: one for one in session().scalars(query)}
    return [found[one] for one in invitation_ids if one in found]


def _fact(
    act: Callable[[Principal, Invitation], None], principal: Principal, invitation: Invitation
) -> DomainError | None:
    try:
        act(principal, invitation)
    except DomainError as error:
        return error
    return None


def _put(report: BulkResult, invitation: Invitation, fact: DomainError | None) -> None:
    if fact is None:
        report.done.append(invitation)
    else:
        report.left_out.append(Skipped(invitation, fact))
