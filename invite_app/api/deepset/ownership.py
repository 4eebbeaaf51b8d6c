"""Handing over an organization: offered by an owner, taken or turned down by the other person."""

from datetime import datetime
from uuid import UUID

from invite_app.access import Actor
from invite_app.api.schema import Schema
from invite_app.errors import OwnershipTransferNotFound
from invite_app.models import OwnershipOffer
from invite_app.services import members

from .dialect import deepset


class NewOffer(Schema):
    user_id: str


class OfferShown(Schema):
    """An offer that waits for the heir's answer; until then the owner stays owner."""

    owner_id: UUID
    heir_id: UUID
    created_at: datetime


ONE = "/organization/{organization_id}/ownership-offer"


@deepset.endpoint("PUT", ONE, permission="organization:write")
def offer_ownership(organization_id: str, body: NewOffer, by: Actor) -> OfferShown:
    """Offers your ownership to another member; a later offer takes the place of an earlier one."""
    return shown(members.offer_transfer(organization_id, body.user_id, by=by))


@deepset.endpoint("GET", ONE)
def get_ownership_offer(organization_id: str, by: Actor) -> OfferShown:
    """The open offer, for the two people it concerns."""
    offer = members.find_transfer(organization_id, by=by)
    if offer is None:
        raise OwnershipTransferNotFound
    return shown(offer)


@deepset.endpoint("POST", ONE + "/accept", status=204)
def accept_ownership(organization_id: str, by: Actor) -> None:
    """Makes you owner; the one who offered becomes admin."""
    members.accept_transfer(organization_id, by=by)


@deepset.endpoint("DELETE", ONE, status=204)
def decline_ownership(organization_id: str, by: Actor) -> None:
    """Turns the offer down, or takes it back as the one who made it."""
    members.decline_transfer(organization_id, by=by)


def shown(offer: OwnershipOffer) -> OfferShown:
    return OfferShown(owner_id=offer.owner_id, heir_id=offer.heir_id, created_at=offer.created_at)
