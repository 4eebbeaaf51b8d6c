"""Looking at invitations: one, a page of them, and how many there are of each kind."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Select, literal, select, union_all
from sqlalchemy.orm import joinedload, selectinload

from invite_app import ids
from invite_app.access import Actor, Standing, authorize
from invite_app.db import session
from invite_app.errors import InvitationUnknown
from invite_app.models import Invitation, InvitationState
from invite_app.models.base import now

from . import endings, pagination, search, whole_invitations
from .invitation_filters import EVERYTHING, UNDELIVERED, Filter, conditions, is_all_pending, narrowed
from .pagination import Count

NEWEST: pagination.Order[Invitation] = pagination.Order(
    (Invitation.created_at, Invitation.id), lambda row: (row.created_at, row.id), descending=True
)
OLDEST: pagination.Order[Invitation] = pagination.Order(NEWEST.columns, NEWEST.values)
BY_EMAIL: pagination.Order[Invitation] = pagination.Order(
    (Invitation.email, Invitation.id), lambda row: (row.email, row.id)
)
NEEDS_YOU_FIRST: pagination.Order[Invitation] = pagination.Order(
    (Invitation.needs_you, Invitation.created_at, Invitation.id),
    lambda row: (row.needs_you, row.created_at, row.id),
    descending=True,
)
ENDS_SOONEST: pagination.Order[Invitation] = pagination.Order(
    (Invitation.expires_at, Invitation.id), lambda row: (row.expires_at, row.id)
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
    """Invitations with role, workspaces, inviter and delivery, newest first unless ordered otherwise.

    Their total may be no exact one, unless it has to be.
    """
    standing = authorize(by, organization_id, "invitations:read")
    if state is not None:
        only = replace(only, states=(state,))
    return page_of(standing, only=only, order=order, cursor=cursor, offset=offset, limit=limit, exact=exact)


def page_of(
    standing: Standing,
    *,
    only: Filter,
    order: pagination.Order[Invitation] = NEWEST,
    cursor: str | None = None,
    offset: int = 0,
    limit: int = 25,
    exact: bool = False,
) -> pagination.Page[Invitation]:
    """The same for callers that have read the standing. Raises PermissionMissing."""
    standing.check_may("invitations:read")
    total = endings.pending_now(standing.organization) if is_all_pending(only) else None
    place = pagination.place(cursor, order, limit)
    query, made = whole_invitations.query(), whole_invitations.made
    narrow = narrowed(standing, only)
    page = search.fetch_page(query, narrow, place, made, total=total, offset=offset, exact=exact)
    whole_invitations.complete(standing.organization, page.items)
    return page


def list_all(organization_id: UUID | str, *, by: Actor, states: Collection[InvitationState] = ()) -> list[Invitation]:
    """Every invitation in these states, newest first, with nothing but its role: for wire formats without pages."""
    standing = authorize(by, organization_id, "invitations:read")
    query = (
        select(Invitation)
        .options(joinedload(Invitation.role))
        .where(Invitation.organization_id == standing.organization.id, *conditions(Filter(states), now()))
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
    )
    return list(session().scalars(query))


def everything(standing: Standing, only: Filter, *, limit: int) -> list[Invitation]:
    """The newest that the filter lets through, with nothing but role, for callers that know they may be seen."""
    query = (
        select(Invitation)
        .options(joinedload(Invitation.role))
        .where(Invitation.id.in_(narrowed(standing, only).fitting))
        .order_by(Invitation.created_at.desc(), Invitation.id.desc())
    )
    return list(session().scalars(query.limit(limit)))


def get(organization_id: UUID | str, invitation_id: UUID | str, *, by: Actor) -> Invitation:
    """One invitation with role, workspaces, inviter and delivery. Raises InvitationUnknown."""
    standing = authorize(by, organization_id, "invitations:read")
    return find_in(standing.organization.id, invitation_id)


def counts(organization_id: UUID | str, *, by: Actor) -> dict[str, int]:
    """How many invitations there are in each state, and under `failed` how many pending were not delivered."""
    return counts_of(authorize(by, organization_id))


def counts_of(standing: Standing, *, at_most: int | None = None) -> dict[str, int]:
    """The same for callers that have read the standing. Raises PermissionMissing.

    Each is counted up to `at_most`, but for the pending ones, of which there is a counter.
    """
    standing.check_may("invitations:read")
    kinds = {state.value: Filter((state,)) for state in InvitationState if state != InvitationState.PENDING}
    found = count_each(standing, {**kinds, "failed": UNDELIVERED}, at_most=at_most)
    return {InvitationState.PENDING.value: endings.pending_now(standing.organization), **found}


def count_each(standing: Standing, kinds: Mapping[str, Filter], *, at_most: int | None) -> dict[str, Count]:
    """How many there are of several kinds, for callers that know that they may be seen."""
    numbers = [narrowed(standing, only).counted(at_most).label(name) for name, only in kinds.items()]
    found = session().execute(select(*numbers)).one()
    return {name: Count(number, at_most) for name, number in zip(kinds, found, strict=True)}


def newest_each(standing: Standing, kinds: Mapping[str, Filter], *, limit: int) -> dict[str, list[Invitation]]:
    """The newest few of several kinds, alone, in one statement, for callers that know that they may be seen."""
    place = pagination.place(None, NEWEST, limit - 1)
    few = [place.of(narrowed(standing, only).fitting.add_columns(literal(kind))) for kind, only in kinds.items()]
    union = union_all(*(select(one.subquery()) for one in few)).subquery()
    rows = session().execute(place.sorted(select(Invitation, union.c[1]).join(union, union.c[0] == Invitation.id)))
    found: dict[str, list[Invitation]] = {kind: [] for kind in kinds}
    for invitation, kind in rows:
        found[kind].append(invitation)
    return found


def count(standing: Standing, only: Filter, *, at_most: int | None = None) -> Count:
    """How many there are, for callers that know that they may be seen; counted up to `at_most`."""
    return narrowed(standing, only).total(at_most)


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
