"""The user behind an actor, and the organizations that the actor belongs to."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from invite_app.access import Actor, ApiKeyActor, UserActor, authorize
from invite_app.db import session
from invite_app.errors import UserNotFound
from invite_app.models import Membership, Organization, User


@dataclass(frozen=True)
class Place:
    """A person's membership, with role, in an organization."""

    membership: Membership
    organization: Organization


@dataclass(frozen=True)
class Identity:
    user: User
    places: list[Place]


def get_identity(actor: Actor) -> Identity:
    """The person with every membership; the person a key acts for with only that in the key's organization.

    Raises Unauthenticated, and UserNotFound for the operator, who is nobody in particular.
    """
    match actor:
        case UserActor(user_id):
            return Identity(session().get_one(User, user_id), _places(user_id))
        case ApiKeyActor(_, organization_id):
            user = authorize(actor, organization_id).user
            assert user is not None
            places = [place for place in _places(user.id) if place.organization.id == organization_id]
            return Identity(user, places)
        case _:
            raise UserNotFound("operator")


def _places(user_id: UUID) -> list[Place]:
    query = (
        select(Membership, Organization)
        .join(Organization, Organization.id == Membership.organization_id)
        .options(joinedload(Membership.role, innerjoin=True))
        .where(Membership.user_id == user_id)
        .order_by(Organization.name, Organization.id)
    )
    return [Place(*row) for row in session().execute(query)]
