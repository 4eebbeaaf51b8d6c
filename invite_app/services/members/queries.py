"""Find one member, or the memberships of a person."""

from uuid import UUID

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from invite_app import ids
from invite_app.access import Actor, authorize
from invite_app.db import session
from invite_app.errors import MembershipNotFound
from invite_app.models import Membership

_ONE = select(Membership).where(
    Membership.organization_id == bindparam("organization_id"), Membership.user_id == bindparam("user_id")
)


def get(organization_id: UUID | str, user_id: UUID | str, *, by: Actor) -> Membership:
    """Return a member with user, role and workspaces. Raises MembershipNotFound."""
    principal = authorize(by, organization_id, "members:read")
    return get_in(principal.organization.id, user_id)


def get_own(organization_id: UUID | str, *, by: Actor) -> Membership:
    """Return the actor's own membership; for an API key, that of its member. Needs no permission."""
    principal = authorize(by, organization_id)
    if principal.user is None:
        raise MembershipNotFound("operator")
    return get_in(principal.organization.id, principal.user.id)


def memberships_of(user_id: UUID) -> list[Membership]:
    """Return a user's memberships with role and workspaces."""
    return list(session().scalars(complete().where(Membership.user_id == user_id)))


def find(organization_id: UUID, user_id: UUID) -> Membership | None:
    """Return the membership without its relations, or None."""
    found: Membership | None = session().scalar(_ONE, {"organization_id": organization_id, "user_id": user_id})
    return found


def get_in(organization_id: UUID, user_id: UUID | str) -> Membership:
    """Return a member of the organization with relations; the caller has checked permissions.

    Raises MembershipNotFound.
    """
    wanted = ids.parse_id(user_id, MembershipNotFound(str(user_id)))
    query = complete().where(Membership.organization_id == organization_id, Membership.user_id == wanted)
    membership: Membership | None = session().scalar(query)
    if membership is None:
        raise MembershipNotFound(str(user_id))
    return membership


def complete() -> Select[Membership]:
    """Return a query for members with all relations that pages and APIs show."""
    return (
        select(Membership)
        .join(Membership.user)
        .options(
            contains_eager(Membership.user),
            joinedload(Membership.organization, innerjoin=True),
            joinedload(Membership.role, innerjoin=True),
            selectinload(Membership.workspaces),
        )
    )


def count_owners(owner: Membership) -> int:
    """Count the members with the same role as this owner."""
    owners = select(func.count()).where(
        Membership.organization_id == owner.organization_id, Membership.role_id == owner.role_id
    )
    return session().scalar(owners) or 0
