"""Check whether one more person may be invited: plan, address, seats and rate limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, any_, bindparam, exists, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from invite_app.access import Principal
from invite_app.db import is_postgresql, session
from invite_app.db.reading import Question, Reader
from invite_app.errors import (
    AlreadyMember,
    CannotInviteYourself,
    DomainError,
    InvalidEmail,
    InvitationPending,
    PlanUpgradeRequired,
    SeatLimitReached,
)
from invite_app.mail.transport import transport
from invite_app.models import IS_PENDING, Invitation, Membership, Organization, Plan, Role, User
from invite_app.models.types import now
from invite_app.services import delivery, rate_limits, roles, validation

from . import expiry


@dataclass(frozen=True)
class AddressStatus:
    """One address in one organization: its member, its pending invitation, and whether any invitation is overdue."""

    address: str
    member_id: UUID | None
    pending_id: UUID | None
    pending_since: datetime | None
    has_overdue: bool

    def check_is_free(self, principal: Principal) -> None:
        """Raise AlreadyMember, CannotInviteYourself or InvitationPending unless the address can be invited."""
        if self.member_id:
            is_oneself = principal.user is not None and principal.user.id == self.member_id
            raise (CannotInviteYourself if is_oneself else AlreadyMember)(self.address, self.member_id)
        if self.pending_id and self.pending_since:
            raise InvitationPending(self.address, self.pending_id, self.pending_since)


_HERE: Any = bindparam("organization_id")
_ADDRESS: Any = bindparam("address")
_NOW: Any = bindparam("now")
_PENDING = (Invitation.organization_id == _HERE, IS_PENDING)
_LIVE = (*_PENDING, Invitation.email == _ADDRESS, Invitation.expires_at > _NOW)
_STATUS_COLUMNS: tuple[Any, ...] = (
    select(User.id)
    .join(Membership, Membership.user_id == User.id)
    .where(User.email == _ADDRESS, Membership.organization_id == _HERE)
    .scalar_subquery(),
    select(Invitation.id).where(*_LIVE).scalar_subquery(),
    select(Invitation.created_at).where(*_LIVE).scalar_subquery(),
    exists().where(*_PENDING, Invitation.expires_at <= _NOW),
)
_STATUS = select(*_STATUS_COLUMNS)
_SPELLINGS: tuple[Any, ...] = (bindparam("spelling"), bindparam("other_spelling"))
_STATUS_WITH_ROLE = Reader(
    select(Role, *_STATUS_COLUMNS).where(
        Role.organization_id == _HERE, or_(Role.key.in_(_SPELLINGS), Role.folded_name.in_(_SPELLINGS))
    )
)


def address_status(organization_id: UUID, address: str) -> AddressStatus:
    """Return the status of the address. Overdue invitations do not count as pending."""
    return AddressStatus(address, *session().execute(_STATUS, _values(organization_id, address)).one())


def status_query(organization_id: UUID, email: str, role: str) -> Question | None:
    """Return a query for the status of an address and for a role by key or name; None if either is invalid."""
    try:
        address = validation.email(email)
    except InvalidEmail:
        return None
    if not (spellings := roles.lookup_keys(role)):
        return None
    named = {"spelling": spellings[0], "other_spelling": spellings[-1]}
    return _STATUS_WITH_ROLE.question(**_values(organization_id, address), **named)


def role_and_status(query: Question) -> tuple[Role, AddressStatus] | None:
    """Return the result of a `status_query`, or None when there is no such role."""
    if not query.rows:
        return None
    role, *columns = query.rows[0]
    return role, AddressStatus(query.values["address"], *columns)


def unavailable(organization_id: UUID, addresses: Sequence[str]) -> dict[str, DomainError]:
    """Return an error for each of the addresses that is a member or already invited."""
    pending = select(Invitation.email, Invitation.id, Invitation.created_at).where(
        *_PENDING, _among(Invitation.email, addresses), Invitation.expires_at > _NOW
    )
    members = (
        select(User.email, User.id, Role.name)
        .join(Membership, Membership.user_id == User.id)
        .join(Role, Role.id == Membership.role_id)
        .where(Membership.organization_id == _HERE, _among(User.email, addresses))
    )
    values = {"organization_id": organization_id, "now": now()}
    taken: dict[str, DomainError] = {row.email: InvitationPending(*row) for row in session().execute(pending, values)}
    return taken | {row.email: AlreadyMember(*row) for row in session().execute(members, values)}


def _among(column: InstrumentedAttribute[str], addresses: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that the column is one of many addresses.

    PostgreSQL hashes an array or looks up each element in an index. It would compare a long IN list with every row.
    """
    if is_postgresql():
        return column == any_(literal(list(addresses), ARRAY(column.type)))
    return column.in_(addresses)


def _values(organization_id: UUID, address: str) -> dict[str, Any]:
    return {"organization_id": organization_id, "address": address, "now": now()}


def seats_left(organization: Organization) -> int | None:
    """Return the number of free seats, or None without a limit. It is negative after the limit was lowered.

    Overdue invitations hold no seat.
    """
    if organization.seat_limit is None:
        return None
    return organization.seat_limit - organization.members_count - expiry.count_pending(organization)


def check_can_invite(
    principal: Principal, status: AddressStatus, *, in_bulk: bool = False, by_mail: bool = True
) -> None:
    """Raises PlanUpgradeRequired, AlreadyMember, InvitationPending, SeatLimitReached and RateLimited, in this order.

    With `in_bulk`, the caller runs `check_inviter_rate` once for the whole list.
    """
    check_plan(principal.organization)
    status.check_is_free(principal)
    if status.has_overdue:
        expiry.expire_overdue(principal.organization)
    check_seats(principal.organization)
    if by_mail:
        check_recipient_rate(status.address)
    if not in_bulk:
        check_inviter_rate(principal)


def check_can_readdress(principal: Principal, status: AddressStatus) -> None:
    """Check whether a pending invitation may move to another address; it keeps its seat.

    Raises PlanUpgradeRequired, AlreadyMember, InvitationPending and RateLimited, in this order.
    """
    check_plan(principal.organization)
    status.check_is_free(principal)
    check_send_rate(principal, status.address)


def check_send_rate(principal: Principal, address: str, *, in_bulk: bool = False) -> None:
    """Check the rate limits of the recipient and, unless `in_bulk`, of the inviter. Raises RateLimited."""
    check_recipient_rate(address)
    if not in_bulk:
        check_inviter_rate(principal)


def check_recipient_rate(address: str) -> None:
    """Raise RateLimited when this address got too many invitation mails, from all organizations together.

    `delivery` counts a mail when it is sent; with the local outbox, which sends at once, it is counted here.
    """
    count = rate_limits.count if transport().is_local else rate_limits.check
    count(delivery.TO_RECIPIENT, address)


def check_inviter_rate(principal: Principal) -> None:
    """Count one request to invite, of a single person or a whole list. The operator is exempt. Raises RateLimited."""
    if principal.user is not None:
        rate_limits.count("invitations by actor", principal.api_key.id if principal.api_key else principal.user.id)
        rate_limits.count("invitations by organization", principal.organization.id)


def check_plan(organization: Organization) -> None:
    """Raise PlanUpgradeRequired on the free plan."""
    if organization.plan == Plan.FREE:
        raise PlanUpgradeRequired


def check_seats(organization: Organization) -> None:
    """Raise SeatLimitReached when no seat is free. The caller has expired overdue invitations."""
    limit = organization.seat_limit
    if limit is not None and organization.members_count + organization.pending_count >= limit:
        raise SeatLimitReached(limit)
