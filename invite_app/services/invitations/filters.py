"""Filters of invitation lists, and the indexes that they use."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from invite_app import ids
from invite_app.access import Principal
from invite_app.models import IS_PENDING, DeliveryState, Invitation, InvitationState, OutboxMessage, User
from invite_app.models.types import now
from invite_app.services import roles, search, validation

from . import expiry, status


@dataclass(frozen=True)
class Filter:
    """Filters of an invitation list; empty values do not filter.

    `role` is a key or name. `invitee_id` is the account at the invited address.
    """

    states: Collection[InvitationState] = ()
    delivery: DeliveryState | None = None
    email: str | None = None
    invitee_id: UUID | str | None = None
    role: str = ""
    fragment: str = ""
    ends_before: datetime | None = None
    needs_attention: bool = False
    asks_again: bool = False
    inviter_lost_right: bool = False
    domain_not_allowed: bool = False
    invitation_ids: Collection[UUID | str] = ()


EVERYTHING = Filter()
UNDELIVERED = Filter((InvitationState.PENDING,), DeliveryState.FAILED)


def narrowed(principal: Principal, only: Filter) -> search.FilteredList:
    """Return the list of the principal's organization with these filters."""
    here, moment = principal.organization.id, now()
    equals: dict[InstrumentedAttribute[Any], Any] = {Invitation.organization_id: here}
    if (state := _only_state(here, only)) is not None:
        equals[Invitation.state] = state
    if only.asks_again or (state == InvitationState.PENDING and _needs_attention_only(only)):
        equals[Invitation.needs_attention] = True
    sources = [_ending(here, moment, only.ends_before)] if only.ends_before is not None else []
    words = search.search_terms(Invitation, only.fragment)
    tests = [words.test(here)] if words else []
    if only.role:
        tests.append(_has_role(here, only.role))
    return search.FilteredList(select(Invitation), Invitation.id, equals, conditions(only, moment), sources, tests)


def _only_state(organization_id: UUID, only: Filter) -> InvitationState | None:
    """Return the single stored state of all matching rows, for indexes that start with the state."""
    if len(states := set(only.states)) != 1:
        return None
    state = states.pop()
    if state != InvitationState.EXPIRED:
        return state
    return None if expiry.count_overdue(organization_id) else state


def _has_role(organization_id: UUID, name: str) -> search.Test:
    role_ids = roles.ids_named(organization_id, [name])
    with_role = select(Invitation.id).where(Invitation.role_id.in_(role_ids))
    return search.Test(Invitation.role_id, lambda column: [column.in_(role_ids)], with_role)


def is_unfiltered_pending(only: Filter) -> bool:
    return set(only.states) == {InvitationState.PENDING} and not any(vars(replace(only, states=())).values())


def _needs_attention_only(only: Filter) -> bool:
    """Return whether all pending matches have the indexed flag `needs_attention`."""
    return only.inviter_lost_right or only.domain_not_allowed or only.delivery == DeliveryState.FAILED


def _ending(organization_id: UUID, since: datetime, until: datetime) -> search.Source:
    return select(Invitation.id).where(
        Invitation.organization_id == organization_id,
        IS_PENDING,
        Invitation.expires_at > since,
        Invitation.expires_at < until,
    )


def conditions(only: Filter, moment: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions of the filter, without search terms and role."""
    found: list[Any] = []
    if only.invitation_ids:
        found.append(Invitation.id.in_(ids.valid_ids(only.invitation_ids)))
    if only.states:
        found.append(or_(*(_is(state, moment) for state in only.states)))
    if only.delivery is not None:
        found.append(Invitation.message.has(OutboxMessage.state == only.delivery))
    if only.email is not None:
        found.append(Invitation.email.in_(validation.valid_emails([only.email])))
    if only.invitee_id is not None:
        at_address = select(User.email).where(User.id.in_(ids.valid_ids([only.invitee_id])))
        found.append(Invitation.email.in_(at_address))
    if only.ends_before is not None:
        found.append(Invitation.expires_at < only.ends_before)
    signs = (
        (only.needs_attention, status.needs_attention(moment)),
        (only.asks_again, Invitation.asked_at.is_not(None)),
        (only.inviter_lost_right, Invitation.inviter_lost_right),
        (only.domain_not_allowed, Invitation.domain_not_allowed),
    )
    found += [condition for is_wanted, condition in signs if is_wanted]
    return found


def _is(state: InvitationState, moment: datetime) -> ColumnElement[bool]:
    match state:
        case InvitationState.PENDING:
            # Coalesced so that the planner does not use the index on `expires_at`, which nearly all rows match.
            expires_at = func.coalesce(Invitation.expires_at, Invitation.expires_at)
            return and_(IS_PENDING, expires_at > moment)
        case InvitationState.EXPIRED:
            return or_(Invitation.state == InvitationState.EXPIRED, _is_overdue(moment))
        case _:
            return Invitation.state == state


def _is_overdue(moment: datetime) -> ColumnElement[bool]:
    return and_(IS_PENDING, Invitation.expires_at <= moment)
