"""Open ownership offers: their lifetime, and their end together with a membership or an ownership."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from invite_app.access import Principal
from invite_app.db import session
from invite_app.models import OwnershipOffer, User
from invite_app.models.types import now
from invite_app.services import audit

OFFER_LIFETIME = timedelta(days=7)


def find_open(organization_id: UUID) -> OwnershipOffer | None:
    """Return the organization's offer if it is not older than seven days."""
    offer = session().get(OwnershipOffer, organization_id)
    return offer if offer is not None and now() - offer.created_at < OFFER_LIFETIME else None


def end_all_with(principal: Principal, user_id: UUID) -> None:
    """End the organization's offer if this person made or received it."""
    _end(principal, or_(OwnershipOffer.owner_id == user_id, OwnershipOffer.heir_id == user_id))


def end_those_by(principal: Principal, user_id: UUID) -> None:
    """End the organization's offer if this person made it."""
    _end(principal, OwnershipOffer.owner_id == user_id)


def _end(principal: Principal, condition: ColumnElement[bool]) -> None:
    query = select(OwnershipOffer).where(OwnershipOffer.organization_id == principal.organization.id, condition)
    if (offer := session().scalar(query)) is not None:
        new_owner = session().get_one(User, offer.heir_id)
        audit.record(principal.organization.id, principal, "ownership.ended", new_owner)
        session().delete(offer)
