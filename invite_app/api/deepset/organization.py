"""The organization itself: its name, its settings and what was done in it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from invite_app.access import Actor, Principal, authorize
from invite_app.api.dialect import ErrorResponse, ErrorTable
from invite_app.api.fastapi_errors import field_error
from invite_app.api.schema import MAX_ITEMS, Schema
from invite_app.errors import InvalidLifetime
from invite_app.models import AuditEvent
from invite_app.services import audit, invitations, organizations

from .dialect import deepset
from .pagination import PageQuery


class OutsideInvitation(Schema):
    invitation_id: UUID
    email: str


class Outside(Schema):
    """The number of these invitations, counted up to 1,000, and the newest two."""

    total: int
    examples: list[OutsideInvitation]


class OrganizationName(Schema):
    name: str
    organization_id: UUID
    plan: str


class Settings(OrganizationName):
    slug: str
    seat_limit: int | None
    members: int
    invitation_lifetime_seconds: int
    allowed_domains: list[str]
    allowed_origins: list[str]
    invitations_outside_domains: Outside | None = Field(
        description="Pending invitations to addresses outside of `allowed_domains`, which cannot be accepted; null"
        " without the permission `invitations:read`."
    )


class SettingsChanges(Schema):
    """Changes of the settings; absent fields stay as they are. A seat limit of null means no limit."""

    name: str | None = None
    plan: str | None = None
    seat_limit: int | None = None
    invitation_lifetime_seconds: int | None = Field(default=None, ge=0, le=10**10)
    allowed_domains: list[str] | None = Field(default=None, max_length=MAX_ITEMS)
    allowed_origins: list[str] | None = Field(default=None, max_length=MAX_ITEMS)


class AuditQuery(PageQuery):
    actor: str = Field(default="", max_length=200)
    action: str = Field(default="", max_length=50)
    target: str = Field(default="", max_length=200)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class Event(Schema):
    event_id: UUID
    at: datetime
    action: str
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    target_kind: str
    target_id: UUID | None
    target_name: str
    ip: str | None
    before: dict[str, Any]
    after: dict[str, Any]


class Events(Schema):
    """The log only grows, so its entries are not counted."""

    data: list[Event]
    has_more: bool
    next_cursor: str | None
    previous_cursor: str | None


SETTINGS = "/organization/{organization_id}/settings"
NAMES: ErrorTable = {InvalidLifetime: ErrorResponse(422, field_error("invitation_lifetime_seconds"))}


@deepset.endpoint("GET", "/organization")
def get_organization(organization_id: UUID | str, by: Actor) -> OrganizationName:
    """The organization that your key belongs to."""
    found = organizations.get(organization_id, by=by)
    return OrganizationName(name=found.name, organization_id=found.id, plan=found.plan)


@deepset.endpoint("GET", SETTINGS)
def get_settings(organization_id: str, by: Actor) -> Settings:
    """The organization's settings."""
    return shown(authorize(by, organization_id))


@deepset.endpoint("PATCH", SETTINGS, permission="organization:write", errors=NAMES)
def change_settings(organization_id: str, body: SettingsChanges, by: Actor) -> Settings:
    """Changes settings. A lower plan or seat limit ends nothing; it only stops new invitations.

    Pending invitations to addresses outside of the allowed domains stay, and cannot be accepted.
    """
    organizations.change(organization_id, _changes(body), by=by)
    return shown(authorize(by, organization_id))


@deepset.endpoint("GET", "/organization/{organization_id}/audit", permission="audit:read")
def list_audit_events(organization_id: str, query: AuditQuery, by: Actor) -> Events:
    """List the events of the organization, newest first."""
    only = audit.Filter(**query.model_dump(exclude={"cursor", "limit"}))
    page = audit.list_page(organization_id, by=by, only=only, cursor=query.cursor, limit=query.limit)
    return Events(
        data=[_event(event) for event in page.items],
        has_more=page.next is not None,
        next_cursor=page.next,
        previous_cursor=page.previous,
    )


def shown(principal: Principal) -> Settings:
    organization, outside = principal.organization, invitations.outside_domains(principal)
    return Settings(
        name=organization.name,
        organization_id=organization.id,
        plan=organization.plan,
        slug=organization.slug,
        seat_limit=organization.seat_limit,
        members=organization.members_count,
        invitation_lifetime_seconds=int(organization.invitation_lifetime.total_seconds()),
        allowed_domains=organization.allowed_domains,
        allowed_origins=organization.allowed_origins,
        invitations_outside_domains=_outside(outside) if outside else None,
    )


def _outside(some: invitations.Examples) -> Outside:
    examples = [OutsideInvitation(invitation_id=one.id, email=one.email) for one in some.items]
    return Outside(total=some.total, examples=examples)


def _changes(body: SettingsChanges) -> organizations.Changes:
    given = {name: getattr(body, name) for name in body.model_fields_set}
    wanted = {name: value for name, value in given.items() if value is not None or name == "seat_limit"}
    if "invitation_lifetime_seconds" in wanted:
        wanted["invitation_lifetime"] = timedelta(seconds=wanted.pop("invitation_lifetime_seconds"))
    return organizations.Changes(**wanted)


def _event(event: AuditEvent) -> Event:
    return Event(
        event_id=event.id, **{name: getattr(event, name) for name in Event.model_fields if name != "event_id"}
    )
