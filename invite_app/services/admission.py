"""Whether one more may be invited: the plan, whose the address is, the seats, and how fast it goes."""

from invite_app.access import Standing
from invite_app.errors import PlanUpgradeRequired, SeatsFull
from invite_app.mail.transport import transport
from invite_app.models import Organization, Plan

from . import addresses, delivery, endings, rate_limits


def check_may_be_invited(
    standing: Standing, look: addresses.Look, *, is_in_list: bool = False, by_mail: bool = True
) -> None:
    """Raises PlanUpgradeRequired, AlreadyMember, InvitationPending, SeatsFull and RateLimited, in this order.

    For an address of a list, `check_pace` is left to whoever has the list.
    """
    check_plan(standing.organization)
    look.check_is_free(standing)
    if look.has_overdue:
        endings.record_overdue(standing.organization)
    check_seats(standing.organization)
    if by_mail:
        check_recipient(look.address)
    if not is_in_list:
        check_pace(standing)


def check_may_take_over(standing: Standing, look: addresses.Look) -> None:
    """An invitation and its seat go to another address.

    Raises PlanUpgradeRequired, AlreadyMember, InvitationPending and RateLimited, in this order.
    """
    check_plan(standing.organization)
    look.check_is_free(standing)
    check_mail(standing, look.address)


def check_mail(standing: Standing, address: str, *, is_in_list: bool = False) -> None:
    """Check the recipient of a mail about an invitation, and count an act of inviting. Raises RateLimited."""
    check_recipient(address)
    if not is_in_list:
        check_pace(standing)


def check_recipient(address: str) -> None:
    """Raise RateLimited when this address got too many mails about invitations, from all organizations together.

    A mail is counted when it is sent (`delivery`), so that what is never sent uses up nothing. The local outbox takes
    it at once.
    """
    count = rate_limits.hit if transport().is_local else rate_limits.check
    count(delivery.TO_RECIPIENT, address)


def check_pace(standing: Standing) -> None:
    """Count one act of inviting; a whole list is one. Raises RateLimited, but never for the operator."""
    if standing.user is not None:
        rate_limits.hit("invitations by actor", standing.api_key.id if standing.api_key else standing.user.id)
        rate_limits.hit("invitations by organization", standing.organization.id)


def check_plan(organization: Organization) -> None:
    """Raises PlanUpgradeRequired."""
    if organization.plan == Plan.FREE:
        raise PlanUpgradeRequired


def check_seats(organization: Organization) -> None:
    """Raises SeatsFull. Overdue invitations must have been recorded before, so that they hold none."""
    limit = organization.seat_limit
    if limit is not None and organization.members_count + organization.pending_count >= limit:
        raise SeatsFull(limit)
