"""Find organizations."""

from contextlib import suppress
from uuid import UUID

from sqlalchemy import select

from invite_app.access import Actor, authorize
from invite_app.db import cached_in_request, session
from invite_app.errors import OrganizationNotFound
from invite_app.models import Membership, Organization
from invite_app.services import accounts, validation


def is_set_up() -> bool:
    """Check if setup is complete: any account exists."""
    return accounts.any_account()


def list_for_user(user_id: UUID) -> list[Organization]:
    """The organizations this person is a member of, by name."""
    query = (
        select(Organization)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.user_id == user_id)
        .order_by(Organization.name, Organization.id)
    )
    return cached_in_request(("organizations", user_id), lambda: list(session().scalars(query)))


def list_all() -> list[Organization]:
    """Every organization on this server; for the operator only."""
    return list(session().scalars(select(Organization).order_by(Organization.created_at, Organization.id)))


def resolve_id(text: str) -> UUID:
    """The id that is meant by an id (which nobody may have) or a slug. Raises OrganizationNotFound."""
    with suppress(ValueError):
        return UUID(text)
    if validation.has_control_characters(text):
        raise OrganizationNotFound
    organization_id: UUID | None = session().scalar(select(Organization.id).where(Organization.slug == text))
    if organization_id is None:
        raise OrganizationNotFound
    return organization_id


def get(organization_id: UUID | str, *, by: Actor) -> Organization:
    """Raises OrganizationNotFound."""
    return authorize(by, organization_id).organization
