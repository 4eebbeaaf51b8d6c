"""List and count invitations."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Select, literal, select, union_all
from sqlalchemy.orm import joinedload

from invite_app.access import Actor, Principal, authorize
from invite_app.db import session
from invite_app.db.reading import Reader, ask, refer
from invite_app.models import Invitation, InvitationState, Organization, OutboxMessage, Role, User
from invite_app.models.types import now
from invite_app.services import delivery, pagination, search
from invite_app.services.pagination import CappedCount

from . import expiry
from .filters import EVERYTHING, UNDELIVERED, Filter, conditions, is_unfiltered_pending, narrowed

NEWEST: pagination.Order[Invitation] = pagination.Order(
    (Invitation.created_at, Invitation.id), lambda row: (row.created_at, row.id), descending=True
)
OLDEST: pagination.Order[Invitation] = pagination.Order(NEWEST.columns, NEWEST.values)
BY_EMAIL: pagination.Order[Invitation] = pagination.Order(
    (Invitation.email, Invitation.id), lambda row: (row.email, row.id)
)
NEEDS_YOU_FIRST: pagination.Order[Invitation] = pagination.Order(
    (Invitation.needs_attention, Invitation.created_at, Invitation.id),
    lambda row: (row.needs_attention, row.created_at, row.id),
    descending=True,
)
ENDS_SOONEST: pagination.Order[Invitation] = pagination.Order(
    (Invitation.expires_at, Invitation.id), lambda row: (row.expires_at, row.id)
)


_WITH_PARTS = Reader(
    select(Invitation, Role, User, OutboxMessage)
    .outerjoin(Role, Role.id == Invitation.role_id)
    .outerjoin(User, User.id == Invitation.inviter_id)
    .outerjoin(OutboxMessage, OutboxMessage.invitation_id == Invitation.id)
)


def list_page(
    organization_id: UUID | str,
    *,
    by: Actor,
    only: Filter = EVERYTHING,
    state: InvitationState | None = None,
    order: pagination.Order[Invitation] = NEWEST,
    cursor: str | None = None,
    offset: int = 0,
    limit: int = 25,
    exact: bool = False,
) -> pagination.Page[Invitation]:
    """Return a page of invitations with role, workspaces, inviter and message.

    Unless `exact`, a large total of a filtered list is capped.
    """
    principal = authorize(by, organization_id, "invitations:read")
    if state is not None:
        only = replace(only, states=(state,))
    return page_for(principal, only=only, order=order, cursor=cursor, offset=offset, limit=limit, exact=exact)


def page_for(
    principal: Principal,
    *,
    only: Filter,
    order: pagination.Order[Invitation] = NEWEST,
    cursor: str | None = None,
    offset: int = 0,
    limit: int = 25,
    exact: bool = False,
) -> pagination.Page[Invitation]:
    """Return `list_page` for an authorized principal. Raises PermissionDenied."""
    principal.check_can("invitations:read")
    total = expiry.count_pending(principal.organization) if is_unfiltered_pending(only) else None
    place = pagination.page_request(cursor, order, limit)
    query, made = with_parts(), make_invitations
    narrow = narrowed(principal, only)
    page = search.fetch_page(query, narrow, place, made, total=total, offset=offset, exact=exact)
    load_workspaces(principal.organization, page.items)
    return page


def list_all(organization_id: UUID | str, *, by: Actor, states: Collection[InvitationState] = ()) -> list[Invitation]:
    """Return all invitations in these states with their role, newest first, for APIs without pagination."""
    principal = authorize(by, organization_id, "invitations:read")
    query = (
        select(Invitation)
        .options(joinedload(Invitation.role))
        .where(Invitation.organization_id == principal.organization.id, *conditions(Filter(states), now()))
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
    )
    return list(session().scalars(query))


def everything(principal: Principal, only: Filter, *, limit: int) -> list[Invitation]:
    """Return the newest matches with their role. The caller has checked permissions."""
    query = (
        select(Invitation)
        .options(joinedload(Invitation.role))
        .where(Invitation.id.in_(narrowed(principal, only).fitting))
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
    )
    return list(session().scalars(query.limit(limit)))


def counts(organization_id: UUID | str, *, by: Actor) -> dict[str, int]:
    """Count the invitations in each state, and under `failed` pending ones whose mail was not delivered."""
    return count_by_state(authorize(by, organization_id))


def count_by_state(principal: Principal, *, at_most: int | None = None) -> dict[str, int]:
    """Return `counts` for an authorized principal. Raises PermissionDenied.

    Numbers are capped at `at_most`, except for pending invitations, which have a stored counter.
    """
    principal.check_can("invitations:read")
    kinds = {state.value: Filter((state,)) for state in InvitationState if state != InvitationState.PENDING}
    found = count_each(principal, {**kinds, "failed": UNDELIVERED}, at_most=at_most)
    return {InvitationState.PENDING.value: expiry.count_pending(principal.organization), **found}


def count_each(principal: Principal, kinds: Mapping[str, Filter], *, at_most: int | None) -> dict[str, CappedCount]:
    """Count the matches of several filters in one query. The caller has checked permissions."""
    numbers = [narrowed(principal, only).counted(at_most).label(name) for name, only in kinds.items()]
    found = session().execute(select(*numbers)).one()
    return {name: CappedCount(number, at_most) for name, number in zip(kinds, found, strict=True)}


def newest_each(principal: Principal, kinds: Mapping[str, Filter], *, limit: int) -> dict[str, list[Invitation]]:
    """Return the newest matches of several filters in one query. The caller has checked permissions."""
    place = pagination.page_request(None, NEWEST, limit - 1)
    few = [place.of(narrowed(principal, only).fitting.add_columns(literal(kind))) for kind, only in kinds.items()]
    union = union_all(*(select(one.subquery()) for one in few)).subquery()
    rows = session().execute(place.sorted(select(Invitation, union.c[1]).join(union, union.c[0] == Invitation.id)))
    found: dict[str, list[Invitation]] = {kind: [] for kind in kinds}
    for invitation, kind in rows:
        found[kind].append(invitation)
    return found


def count(principal: Principal, only: Filter, *, at_most: int | None = None) -> CappedCount:
    """Count the matches, up to `at_most`. The caller has checked permissions."""
    return narrowed(principal, only).total(at_most)


def with_parts() -> Select[Any]:
    """Return the query for `make_invitations`."""
    return _WITH_PARTS.query


def make_invitations(row: Sequence[Any]) -> Invitation:
    """Return the invitation of a row, with role, inviter and message."""
    invitation, role, inviter, message = _WITH_PARTS.objects(row)
    refer(invitation, role=role, inviter=inviter, message=message)
    found: Invitation = invitation
    return found


def load_workspaces(organization: Organization, invitations: Sequence[Invitation]) -> None:
    """Set the organization and load the workspaces of invitations."""
    query = delivery.workspaces_of([invitation.id for invitation in invitations])
    if invitations:
        ask(query)
    workspaces = delivery.workspaces_by_invitation(query)
    for invitation in invitations:
        refer(invitation, organization=organization, workspaces=workspaces.get(invitation.id, []))
