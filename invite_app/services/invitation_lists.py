"""Looking at invitations: one, a page of them, and how many there are of each kind."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from invite_app import ids
from invite_app.access import Actor, Standing, authorize
from invite_app.db import session
from invite_app.errors import InvitationUnknown
from invite_app.models import DeliveryState, Invitation, InvitationState, OutboxMessage, User
from invite_app.models.base import now

from . import cursors, reasons, values

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
) -> cursors.Page[Invitation]:
    """Invitations with role, workspaces, inviter and delivery, newest first unless ordered otherwise."""
    standing = authorize(by, organization_id, "invitations:read")
    if state is not None:
        only = replace(only, states=(state,))
    conditions = [Invitation.organization_id == standing.organization.id, *_conditions(only, now())]
    total = session().scalar(select(func.count()).select_from(Invitation).where(*conditions)) or 0
    query = complete().where(*conditions)
    return cursors.fetch(query, order, total=total, cursor=cursor, offset=offset, limit=limit)


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
        .where(Invitation.organization_id == standing.organization.id, *_conditions(only, now()))
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
    )
    return list(session().scalars(query.limit(limit)))


def get(organization_id: UUID | str, invitation_id: UUID | str, *, by: Actor) -> Invitation:
    """One invitation with role, workspaces, inviter and delivery. Raises InvitationUnknown."""
    standing = authorize(by, organization_id, "invitations:read")
    return find_in(standing.organization.id, invitation_id)


def counts(organization_id: UUID | str, *, by: Actor) -> dict[str, int]:
    """How many invitations there are in each state, and under `failed` how many pending were not delivered."""
    standing = authorize(by, organization_id, "invitations:read")
    here, moment = Invitation.organization_id == standing.organization.id, now()
    by_state = select(Invitation.state, func.count()).where(here).group_by(Invitation.state)
    found = {state.value: 0 for state in InvitationState}
    found |= {state: count for state, count in session().execute(by_state)}  # noqa: C416 - rows are no pairs to mypy
    overdue = select(func.count()).select_from(Invitation).where(here, _is_overdue(moment))
    late = session().scalar(overdue) or 0
    found[InvitationState.PENDING] -= late
    found[InvitationState.EXPIRED] += late
    failed = select(func.count()).select_from(Invitation).where(here, *_conditions(UNDELIVERED, moment))
    return found | {"failed": session().scalar(failed) or 0}


def count(standing: Standing, only: Filter) -> int:
    """How many there are, for callers that know that they may be seen."""
    conditions = [Invitation.organization_id == standing.organization.id, *_conditions(only, now())]
    return session().scalar(select(func.count()).select_from(Invitation).where(*conditions)) or 0


UNDELIVERED = Filter((InvitationState.PENDING,), DeliveryState.FAILED)


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
    conditions += [_mentions(word) for word in values.words(only.fragment)]
    return conditions


def _mentions(word: str) -> ColumnElement[bool]:
    return or_(
        Invitation.email.icontains(word, autoescape=True),
        Invitation.given_name.icontains(word, autoescape=True),
        Invitation.family_name.icontains(word, autoescape=True),
    )


def _is(state: InvitationState, moment: datetime) -> ColumnElement[bool]:
    match state:
        case InvitationState.PENDING:
            return and_(Invitation.state == InvitationState.PENDING, Invitation.expires_at > moment)
        case InvitationState.EXPIRED:
            return or_(Invitation.state == InvitationState.EXPIRED, _is_overdue(moment))
        case _:
            return Invitation.state == state


def _is_overdue(moment: datetime) -> ColumnElement[bool]:
    return and_(Invitation.state == InvitationState.PENDING, Invitation.expires_at <= moment)
