"""Schemas of several operations: organizations, members, roles and times."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from invite_app.api.schema import Schema
from invite_app.models import Organization, Role, User
from invite_app.services import invitations

Metadata = dict[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The last millisecond of the year 9999, the largest that `datetime` can represent.
LAST_MOMENT = 253_402_300_799_999
PREFIX = "org:"


class OrganizationShown(Schema):
    object: Literal["organization"] = "organization"
    id: str
    name: str
    slug: str
    image_url: str = ""
    has_image: bool = False
    members_count: int
    pending_invitations_count: int
    max_allowed_memberships: int = Field(description="0 means that there is no limit.")
    admin_delete_enabled: bool = False
    public_metadata: Metadata = Field(default={})
    private_metadata: Metadata = Field(default={})
    created_by: str
    created_at: int
    updated_at: int


class PublicOrganizationData(Schema):
    id: str
    name: str
    slug: str
    image_url: str = ""
    has_image: bool = False


class PublicInviterData(Schema):
    user_id: str
    first_name: str | None
    last_name: str | None
    image_url: str = ""
    has_image: bool = False
    identifier: str = Field(description="The email address.")


class PublicUserData(PublicInviterData):
    profile_image_url: str | None = None
    username: str | None = None


def organization_shown(organization: Organization) -> OrganizationShown:
    return OrganizationShown(
        id=str(organization.id),
        name=organization.name,
        slug=organization.slug,
        members_count=organization.members_count,
        pending_invitations_count=invitations.count_pending(organization),
        max_allowed_memberships=organization.seat_limit or 0,
        created_by=str(organization.created_by_id or ""),
        created_at=milliseconds(organization.created_at),
        updated_at=milliseconds(organization.updated_at),
    )


def public_organization_data(organization: Organization) -> PublicOrganizationData:
    return PublicOrganizationData(id=str(organization.id), name=organization.name, slug=organization.slug)


def public_inviter_data(person: User) -> PublicInviterData:
    return PublicInviterData(**_person(person))


def public_user_data(person: User) -> PublicUserData:
    return PublicUserData(**_person(person))


def _person(person: User) -> dict[str, Any]:
    return {
        "user_id": str(person.id),
        "first_name": person.given_name or None,
        "last_name": person.family_name or None,
        "identifier": person.email,
    }


def role_key(role: Role) -> str:
    return PREFIX + role.key


def permission_keys(role: Role) -> list[str]:
    return [PREFIX + permission for permission in role.permissions]


def milliseconds(moment: datetime) -> int:
    """The whole milliseconds from 1970 to this moment."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def moment(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)
