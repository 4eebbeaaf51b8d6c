"""Ownership transfer: the owner offers it, and the new owner accepts or declines."""

from dataclasses import dataclass
from uuid import UUID

from invite_app.access import Actor, Principal, authorize, organization_transaction
from invite_app.db import session
from invite_app.errors import LastOwner, OwnershipTransferNotFound, PermissionDenied
from invite_app.models import OwnershipOffer, User
from invite_app.models.roles import ADMIN, OWNER
from invite_app.models.types import now
from invite_app.services import audit, inviter_rights, roles

from . import ownership_offers
from .queries import get_in


@dataclass(frozen=True)
class TransferParties:
    """The two people of an open offer."""

    owner: User
    new_owner: User


def offer_transfer(organization_id: UUID | str, heir_id: UUID | str, *, by: Actor) -> OwnershipOffer:
    """Offer ownership to another member; it replaces an earlier offer.

    Raises PermissionDenied (the actor is no owner), MembershipNotFound and LastOwner (the actor is the new owner).
    """
    with organization_transaction(organization_id, by=by, needs="organization:write") as principal:
        owner = _owner(principal)
        new_owner = get_in(principal.organization.id, heir_id)
        if new_owner.user_id == owner.id:
            raise LastOwner
        made = session().get(OwnershipOffer, principal.organization.id)
        if made is None:
            made = OwnershipOffer(organization_id=principal.organization.id)
            session().add(made)
        made.owner_id, made.heir_id, made.created_at = owner.id, new_owner.user_id, now()
        audit.record(principal.organization.id, principal, "ownership.offered", new_owner)
    return made


def find_transfer(organization_id: UUID | str, *, by: Actor) -> OwnershipOffer | None:
    """Return the open offer if the actor made or received it."""
    return _concerning(authorize(by, organization_id))


def find_parties(principal: Principal) -> TransferParties | None:
    """Return the two people of the open offer if the principal is one of them."""
    if (made := _concerning(principal)) is None:
        return None
    owner, new_owner = (session().get_one(User, user_id) for user_id in (made.owner_id, made.heir_id))
    return TransferParties(owner, new_owner)


def accept_transfer(organization_id: UUID | str, *, by: Actor) -> None:
    """Accept the transfer: the actor becomes owner, the old owner becomes admin.

    Raises PermissionDenied for an API key. Raises OwnershipTransferNotFound, also when the offer has expired, is
    older than either membership, or its owner is no longer an owner.
    """
    with organization_transaction(organization_id, by=by) as principal:
        made = _offer_to(principal)
        new_owner = get_in(principal.organization.id, made.heir_id)
        owner = get_in(principal.organization.id, made.owner_id)
        if not owner.role.is_owner or made.created_at < max(owner.created_at, new_owner.created_at):
            raise OwnershipTransferNotFound
        for membership, key in ((new_owner, OWNER), (owner, ADMIN)):
            role = roles.get(principal.organization.id, key)
            before, membership.role, membership.role_id = membership.role.name, role, role.id
            what = {"before": {"role": before}, "after": {"role": role.name}}
            audit.record(principal.organization.id, principal, "member.role_changed", membership, **what)
        session().delete(made)
        inviter_rights.refresh(principal.organization)


def decline_transfer(organization_id: UUID | str, *, by: Actor) -> None:
    """Decline the transfer, or withdraw it as its owner. Raises PermissionDenied and OwnershipTransferNotFound."""
    with organization_transaction(organization_id, by=by) as principal:
        person = principal.check_is_user("organization:write")
        made = ownership_offers.find_open(principal.organization.id)
        if made is None or person.id not in (made.owner_id, made.heir_id):
            raise OwnershipTransferNotFound
        audit.record(principal.organization.id, principal, "ownership.declined", person)
        session().delete(made)


def _concerning(principal: Principal) -> OwnershipOffer | None:
    made = ownership_offers.find_open(principal.organization.id)
    concerns = made is not None and principal.user is not None and principal.user.id in (made.owner_id, made.heir_id)
    return made if concerns else None


def _offer_to(principal: Principal) -> OwnershipOffer:
    person = principal.check_is_user("organization:write")
    made = ownership_offers.find_open(principal.organization.id)
    if made is None or made.heir_id != person.id:
        raise OwnershipTransferNotFound
    return made


def _owner(principal: Principal) -> User:
    person = principal.check_is_user("organization:write")
    if not principal.is_owner:
        raise PermissionDenied("organization:write")
    return person
