"""Memberships: create, list, change the role or the metadata, delete."""

from typing import Literal
from uuid import UUID

from pydantic import AliasChoices, ConfigDict, Field

from invite_app.access import Actor, authorize
from invite_app.api.dialect import ErrorResponse, ErrorTable
from invite_app.api.schema import Schema
from invite_app.errors import DomainNotAllowed
from invite_app.models import Membership
from invite_app.services import members, private_metadata
from invite_app.services.pagination import Order

from .dialect import clerk, invalid
from .pagination import MAX_NAMED, Listed, PageQuery, one_of, ordered
from .schemas import (
    LAST_MOMENT,
    Metadata,
    OrganizationShown,
    PublicUserData,
    milliseconds,
    moment,
    organization_shown,
    permission_keys,
    public_user_data,
    role_key,
)

# Members have no phone number or user name, so these orders fall back to the age.
ORDERS: dict[str, Order[Membership]] = {
    "created_at": members.OLDEST,
    "email_address": members.BY_EMAIL,
    "first_name": members.BY_NAME,
    "last_name": members.BY_FAMILY_NAME,
    "phone_number": members.OLDEST,
    "username": members.OLDEST,
}


class NewMembership(Schema):
    model_config = ConfigDict(extra="forbid")

    user_id: str = Field(validation_alias=AliasChoices("user_id", "userId"))
    role: str
    public_metadata: Metadata | None = None
    private_metadata: Metadata | None = None


class NewRole(Schema):
    model_config = ConfigDict(extra="forbid")

    role: str


class NewMetadata(Schema):
    """Metadata to merge, level by level; null removes a name."""

    model_config = ConfigDict(extra="forbid")

    public_metadata: Metadata | None = None
    private_metadata: Metadata | None = None


class OrderedQuery(PageQuery):
    order_by: str = Field(default="-created_at", pattern=one_of(ORDERS))


class MembershipQuery(OrderedQuery):
    user_id: list[str] = Field(
        default=[], max_length=MAX_NAMED, description="With '-' in front, everybody but these; '+' may be in front."
    )
    email_address: list[str] = Field(default=[], max_length=MAX_NAMED)
    role: list[str] = Field(default=[], max_length=MAX_NAMED)
    query: str = Field(default="", description="Parts of the address or the name.")
    email_address_query: str = ""
    name_query: str = ""
    created_at_before: int | None = Field(
        default=None, ge=0, le=LAST_MOMENT, description="When the account was made."
    )
    created_at_after: int | None = Field(default=None, ge=0, le=LAST_MOMENT)


class MembershipShown(Schema):
    object: Literal["organization_membership"] = "organization_membership"
    id: str
    role: str
    role_name: str
    permissions: list[str]
    public_metadata: Metadata
    private_metadata: Metadata = Field(description="Empty without the permission `members:write`.")
    organization: OrganizationShown
    public_user_data: PublicUserData
    created_at: int
    updated_at: int


LIST = "/organizations/{organization_id}/memberships"
ONE = LIST + "/{user_id}"
ADDING: ErrorTable = {DomainNotAllowed: ErrorResponse(422, invalid("user_id"))}


@clerk.endpoint("POST", LIST, permission="members:write", errors=ADDING)
def create_membership(organization_id: str, body: NewMembership, by: Actor) -> MembershipShown:
    """Makes an existing account a member of the organization at once."""
    return shown(members.add(organization_id, by=by, **body.model_dump()))


@clerk.endpoint("GET", LIST, permission="members:read")
def list_memberships(organization_id: str, query: MembershipQuery, by: Actor) -> Listed[MembershipShown]:
    """The members of the organization."""
    return _page(organization_id, _filter(query), query, by, query.order_by)


@clerk.endpoint("PATCH", ONE, permission="members:write")
def update_membership(organization_id: str, user_id: str, body: NewRole, by: Actor) -> MembershipShown:
    """Gives a member another role."""
    return shown(members.change_role(organization_id, user_id, body.role, by=by))


@clerk.endpoint("DELETE", ONE, permission="members:write")
def delete_membership(organization_id: str, user_id: str, by: Actor) -> MembershipShown:
    """Removes a member. The account stays."""
    return shown(members.remove(organization_id, user_id, by=by))


@clerk.endpoint("PATCH", ONE + "/metadata", permission="members:write")
def update_membership_metadata(
    organization_id: str, user_id: str, by: Actor, body: NewMetadata | None = None
) -> MembershipShown:
    """Merges into the metadata of a member."""
    new = body or NewMetadata()
    changed = members.change_metadata(
        organization_id, user_id, by=by, public=new.public_metadata, private=new.private_metadata
    )
    return shown(changed)


@clerk.endpoint("GET", "/organization_memberships", permission="members:read")
def list_all_memberships(organization_id: UUID | str, query: OrderedQuery, by: Actor) -> Listed[MembershipShown]:
    """The members of your own organization."""
    return _page(organization_id, members.Filter(), query, by, query.order_by)


@clerk.endpoint("GET", "/users/{user_id}/organization_memberships", permission="members:read")
def list_user_memberships(
    organization_id: UUID | str, user_id: str, query: PageQuery, by: Actor
) -> Listed[MembershipShown]:
    """The place of a person in your own organization, if there is one."""
    return _page(organization_id, members.Filter(user_ids=[user_id]), query, by)


def _page(
    organization_id: UUID | str,
    only: members.Filter,
    query: PageQuery,
    by: Actor,
    order_by: str = "-created_at",
) -> Listed[MembershipShown]:
    page = members.list_page(
        organization_id,
        by=by,
        only=only,
        order=ordered(order_by, ORDERS),
        offset=query.offset,
        limit=query.limit,
        exact=True,
    )
    principal = authorize(by, organization_id)
    organization = organization_shown(principal.organization)
    shown_items = [_shown(item, organization, private_metadata.visible(principal, item)) for item in page.items]
    return Listed(data=shown_items, total_count=page.total)


def _filter(query: MembershipQuery) -> members.Filter:
    return members.Filter(
        user_ids=[given.lstrip("+ ") for given in query.user_id if not given.startswith("-")],
        without_user_ids=[given[1:] for given in query.user_id if given.startswith("-")],
        emails=query.email_address,
        roles=query.role,
        fragment=query.query,
        email_fragment=query.email_address_query,
        name_fragment=query.name_query,
        account_until=None if query.created_at_before is None else moment(query.created_at_before),
        account_since=None if query.created_at_after is None else moment(query.created_at_after),
    )


def shown(membership: Membership) -> MembershipShown:
    """Return what an actor sees who has just written the membership."""
    return _shown(membership, organization_shown(membership.organization), membership.private_metadata)


def _shown(membership: Membership, organization: OrganizationShown, visible: Metadata) -> MembershipShown:
    return MembershipShown(
        id=str(membership.id),
        role=role_key(membership.role),
        role_name=membership.role.name,
        permissions=permission_keys(membership.role),
        public_metadata=membership.public_metadata,
        private_metadata=visible,
        organization=organization,
        public_user_data=public_user_data(membership.user),
        created_at=milliseconds(membership.created_at),
        updated_at=milliseconds(membership.updated_at),
    )
