"""Looking at invitations: one, a page of them, and how many there are of each kind."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, joinedload, selectinload

from invite_app import ids
from invite_app.access import Actor, Standing, authorize
from invite_app.db import session
from invite_app.errors import InvitationUnknown
from invite_app.models import DeliveryState, Invitation, InvitationState, OutboxMessage, User
from invite_app.models.base import now

from . import cursors, endings, narrowing, reasons, searching, values
from .cursors import Count

NEWEST: cursors.Order[Invitation] = cursors.Order(
    (Invitation.created_at, Invitation.id), lambda row: (row.created_at, row.id), descending=True
)
OLDEST: cursors.Order[Invitation] = cursors.Order(NEWEST.columns, NEWEST.values)
BY_EMAIL: cursors.Order[Invitation] = cursors.Order(
    (Invitation.email, Invitation.id), lambda row: (row.email, row.id)
)
NEEDS_YOU_FIRST: cursors.Order[Invitation] = cursors.Order(
    (Invitation.needs_you, Invitation.created_at, Invitation.id),
    lambda row: (row.needs_you, row.created_at, row.id),
    descending=True,
)
ENDS_SOONEST: cursors.Order[Invitation] = cursors.Order(
    (Invitation.expires_at, Invitation.id), lambda row: (row.expires_at, row.id)
)


@dataclass(frozen=True)
class Filter:
    """Which invitations to list; what is left empty does not narrow the list.

    `invitee_id` is the account at the invited address.
    """

    states: Collection[InvitationState] = ()
    delivery: DeliveryState | None = None
    email: str | None = None
    invitee_id: UUID | str | None = None
    fragment: str = ""
    ends_before: datetime | None = None
    needs_you: bool = False
    asks_again: bool = False
    inviter_lost_right: bool = False
    invitation_ids: Collection[UUID | str] = ()


EVERYTHING = Filter()
UNDELIVERED = Filter((InvitationState.PENDING,), DeliveryState.FAILED)


def list_page(
    organization_id: UUID | str,
    *,
    by: Actor,
    only: Filter = EVERYTHING,
    state: InvitationState | None = None,
    order: cursors.Order[Invitation] = NEWEST,
    cursor: str | None = None,
    offset: int = 0,
    limit: int = 25,
    exact: bool = False,
) -> cursors.Page[Invitation]:
    """Invitations with role, workspaces, inviter and delivery, newest first unless ordered otherwise.

    Their total may be no exact one, unless it has to be.
    """
    standing = authorize(by, organization_id, "invitations:read")
    if state is not None:
        only = replace(only, states=(state,))
    total = endings.pending_now(standing.organization) if _is_all_pending(only) else None
    place = cursors.place(cursor, order, limit)
    return narrowing.fetch(complete(), _narrow(standing, only), place, total=total, offset=offset, exact=exact)


def first(standing: Standing, only: Filter) -> cursors.Page[Invitation]:
    """The newest that the filter lets through, alone, for callers that know that it may be seen."""
    return narrowing.fetch(select(Invitation), _narrow(standing, only), cursors.place(None, NEWEST, 1))


def list_all(organization_id: UUID | str, *, by: Actor, states: Collection[InvitationState] = ()) -> list[Invitation]:
    """Every invitation in these states, newest first, with nothing but its role: for wire formats without pages."""
    standing = authorize(by, organization_id, "invitations:read")
    query = (
        select(Invitation)
        .options(joinedload(Invitation.role))
        .where(Invitation.organization_id == standing.organization.id, *_conditions(Filter(states), now()))
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
    )
    return list(session().scalars(query))


def everything(standing: Standing, only: Filter, *, limit: int) -> list[Invitation]:
    """The newest that the filter lets through, with nothing but role, for callers that know they may be seen."""
    query = (
        select(Invitation)
        .options(joinedload(Invitation.role))
        .where(Invitation.id.in_(_narrow(standing, only).fitting))
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
    )
    return list(session().scalars(query.limit(limit)))


def get(organization_id: UUID | str, invitation_id: UUID | str, *, by: Actor) -> Invitation:
    """One invitation with role, workspaces, inviter and delivery. Raises InvitationUnknown."""
    standing = authorize(by, organization_id, "invitations:read")
    return find_in(standing.organization.id, invitation_id)


def counts(organization_id: UUID | str, *, by: Actor, at_most: int | None = None) -> dict[str, int]:
    """How many invitations there are in each state, and under `failed` how many pending were not delivered.

    Each is counted up to `at_most`, but for the pending ones, of which there is a counter.
    """
    standing = authorize(by, organization_id, "invitations:read")
    kinds = {state.value: Filter((state,)) for state in InvitationState if state != InvitationState.PENDING}
    found = count_each(standing, {**kinds, "failed": UNDELIVERED}, at_most=at_most)
    return {InvitationState.PENDING.value: endings.pending_now(standing.organization), **found}


def count_each(standing: Standing, kinds: Mapping[str, Filter], *, at_most: int | None) -> dict[str, Count]:
    """How many there are of several kinds, for callers that know that they may be seen."""
    numbers = [_narrow(standing, only).counted(at_most).label(name) for name, only in kinds.items()]
    found = session().execute(select(*numbers)).one()
    return {name: Count(number, at_most) for name, number in zip(kinds, found, strict=True)}


def newest_each(standing: Standing, kinds: Mapping[str, Filter], *, limit: int) -> dict[str, list[Invitation]]:
    """The newest few of several kinds, alone, in one statement, for callers that know that they may be seen."""
    place = cursors.place(None, NEWEST, limit - 1)
    few = [place.of(_narrow(standing, only).fitting.add_columns(literal(kind))) for kind, only in kinds.items()]
    union = union_all(*(select(one.subquery()) for one in few)).subquery()
    rows = session().execute(place.sorted(select(Invitation, union.c[1]).join(union, union.c[0] == Invitation.id)))
    found: dict[str, list[Invitation]] = {kind: [] for kind in kinds}
    for invitation, kind in rows:
        found[kind].append(invitation)
    return found


def count(standing: Standing, only: Filter, *, at_most: int | None = None) -> Count:
    """How many there are, for callers that know that they may be seen; counted up to `at_most`."""
    return _narrow(standing, only).total(at_most)


def find_in(organization_id: UUID, invitation_id: UUID | str) -> Invitation:
    """The invitation, complete, for services that know the organization. Raises InvitationUnknown."""
    wanted = ids.parse(invitation_id, InvitationUnknown(str(invitation_id)))
    query = complete().where(Invitation.id == wanted, Invitation.organization_id == organization_id)
    invitation: Invitation | None = session().scalar(query)
    if invitation is None:
        raise InvitationUnknown(str(invitation_id))
    return invitation


def complete() -> Select[Invitation]:
    """Invitations with everything an interface shows of one."""
    return select(Invitation).options(
        joinedload(Invitation.role),
        joinedload(Invitation.inviter),
        joinedload(Invitation.message),
        joinedload(Invitation.organization, innerjoin=True),
        selectinload(Invitation.workspaces),
    )


def _narrow(standing: Standing, only: Filter) -> narrowing.Narrow:
    here, moment = standing.organization.id, now()
    equals: dict[InstrumentedAttribute[Any], Any] = {Invitation.organization_id: here}
    if (state := _only_state(here, only, moment)) is not None:
        equals[Invitation.state] = state
    if only.asks_again or (state == InvitationState.PENDING and _is_in_need(only)):
        equals[Invitation.needs_you] = True
    sources = [_ending(here, moment, only.ends_before)] if only.ends_before is not None else []
    words = searching.words(Invitation, only.fragment)
    tests = [words.test(here)] if words else []
    return narrowing.Narrow(select(Invitation), Invitation.id, equals, _conditions(only, moment), sources, tests)


def _only_state(organization_id: UUID, only: Filter, moment: datetime) -> InvitationState | None:
    """The one state that all the rows have, as it is written down, for the indexes that begin with it."""
    if len(states := set(only.states)) != 1:
        return None
    state = states.pop()
    if state != InvitationState.EXPIRED:
        return state
    overdue = exists().where(Invitation.organization_id == organization_id, _is_overdue(moment))
    return None if session().scalar(select(overdue)) else state


def _is_all_pending(only: Filter) -> bool:
    return set(only.states) == {InvitationState.PENDING} and not any(vars(replace(only, states=())).values())


def _is_in_need(only: Filter) -> bool:
    """Whether every pending invitation that fits needs somebody, which an index knows."""
    return only.inviter_lost_right or only.delivery == DeliveryState.FAILED


def _ending(organization_id: UUID, since: datetime, until: datetime) -> narrowing.Source:
    return select(Invitation.id).where(
        Invitation.organization_id == organization_id,
        Invitation.state == InvitationState.PENDING,
        Invitation.expires_at > since,
        Invitation.expires_at < until,
    )


def _conditions(only: Filter, moment: datetime) -> list[ColumnElement[bool]]:
    conditions: list[Any] = []
    if only.invitation_ids:
        conditions.append(Invitation.id.in_(ids.readable(only.invitation_ids)))
    if only.states:
        conditions.append(or_(*(_is(state, moment) for state in only.states)))
    if only.delivery is not None:
        conditions.append(Invitation.message.has(OutboxMessage.state == only.delivery))
    if only.email is not None:
        conditions.append(Invitation.email.in_(values.readable_emails([only.email])))
    if only.invitee_id is not None:
        at_address = select(User.email).where(User.id.in_(ids.readable([only.invitee_id])))
        conditions.append(Invitation.email.in_(at_address))
    if only.ends_before is not None:
        conditions.append(Invitation.expires_at < only.ends_before)
    signs = (
        (only.needs_you, reasons.needs_you(moment)),
        (only.asks_again, Invitation.asked_at.is_not(None)),
        (only.inviter_lost_right, Invitation.inviter_lost_right),
    )
    conditions += [condition for is_wanted, condition in signs if is_wanted]
    return conditions


def _is(state: InvitationState, moment: datetime) -> ColumnElement[bool]:
    match state:
        case InvitationState.PENDING:
            # Nearly all end later, so the index by end must not be taken for a way to them: 60 ms instead of 1.
            end = func.coalesce(Invitation.expires_at, Invitation.expires_at)
            return and_(Invitation.state == InvitationState.PENDING, end > moment)
        case InvitationState.EXPIRED:
            return or_(Invitation.state == InvitationState.EXPIRED, _is_overdue(moment))
        case _:
            return Invitation.state == state


def _is_overdue(moment: datetime) -> ColumnElement[bool]:
    return and_(Invitation.state == InvitationState.PENDING, Invitation.expires_at <= moment)
