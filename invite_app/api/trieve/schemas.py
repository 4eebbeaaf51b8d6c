"""Schemas of several operations of the Trieve API: roles, times and users."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AliasChoices, AliasGenerator, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from invite_app.api.schema import Schema
from invite_app.models import Membership, Organization, Role, User
from invite_app.models.roles import ADMIN, BUILT_IN, MEMBER, OWNER

ROLES = (MEMBER, ADMIN, OWNER)
RoleNumber = Annotated[int, Field(strict=True, ge=0, le=2)]
# A role that is asked for. Numbers above 2 have the right shape, and stand above every role there is.
WantedRole = Annotated[int, Field(strict=True, ge=0)]
# The name of no role: names have at least one character.
NO_ROLE = ""
# A time in UTC, serialized without its offset.
NaiveTime = Annotated[
    datetime, PlainSerializer(lambda time: time.astimezone(UTC).replace(tzinfo=None).isoformat(), return_type=str)
]


def role_name(number: WantedRole) -> str:
    """Return the role's key, or for a number above all roles the name of none."""
    return ROLES[number] if number < len(ROLES) else NO_ROLE


def role_number(role: Role | None) -> RoleNumber:
    """The role as one of Trieve's three.

    A custom one is shown as admin when it may do all that an admin may, else as member; never as owner, and never as
    more than it is. So is a role that is gone.
    """
    if role is None:
        return 0
    if role.is_owner:
        return 2
    return 1 if set(role.permissions).issuperset(BUILT_IN[ADMIN]) else 0


class Payload(Schema):
    """A body, in the snake_case of the API or in the camelCase of its TypeScript client."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=lambda name: AliasChoices(name, to_camel(name)))
    )

    organization_id: UUID | None = None


class OrganizationShown(Schema):
    id: UUID
    name: str
    created_at: NaiveTime
    updated_at: NaiveTime
    registerable: bool = False
    deleted: int = 0


class UserOrganization(Schema):
    id: UUID
    user_id: UUID
    organization_id: UUID
    role: RoleNumber
    created_at: NaiveTime
    updated_at: NaiveTime
    scopes: list[Any] | None = None


class SlimUser(Schema):
    id: UUID
    email: str
    name: str | None
    created_at: NaiveTime
    user_orgs: list[UserOrganization]
    orgs: list[OrganizationShown]


def shown_user(user: User, places: list[tuple[Membership, Organization]]) -> SlimUser:
    return SlimUser(
        id=user.id,
        email=user.email,
        name=user.name or None,
        created_at=user.created_at,
        user_orgs=[_shown_membership(membership) for membership, _ in places],
        orgs=[shown_organization(organization) for _, organization in places],
    )


def shown_organization(organization: Organization) -> OrganizationShown:
    return OrganizationShown(
        id=organization.id,
        name=organization.name,
        created_at=organization.created_at,
        updated_at=organization.updated_at,
    )


def _shown_membership(membership: Membership) -> UserOrganization:
    return UserOrganization(
        id=membership.id,
        user_id=membership.user_id,
        organization_id=membership.organization_id,
        role=role_number(membership.role),
        created_at=membership.created_at,
        updated_at=membership.updated_at,
    )
