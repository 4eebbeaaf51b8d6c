"""The members of an organization, with what the published API leaves out."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from invite_app.access import Actor
from invite_app.api.schema import MAX_ITEMS, MAX_VALUES, Schema
from invite_app.models import Membership
from invite_app.services import members

from .dialect import deepset
from .pagination import Listed, PageQuery, listed


class MemberShown(Schema):
    user_id: UUID
    email: str
    given_name: str
    family_name: str
    role: str
    workspace_ids: list[UUID]
    member_since: datetime


class MemberQuery(PageQuery):
    role: list[str] = Field(default=[], max_length=MAX_VALUES)
    workspace_id: UUID | None = None
    q: str = Field(default="", max_length=200, description="Parts of the address or the name.")


class MemberChanges(Schema):
    """Changes of a member; fields that are absent or null stay as they are."""

    role: str | None = None
    workspace_ids: list[UUID] | None = Field(default=None, max_length=MAX_ITEMS)


LIST = "/organization/{organization_id}/members"
ONE = LIST + "/{user_id}"


@deepset.endpoint("GET", LIST, permission="members:read")
def list_members(organization_id: str, query: MemberQuery, by: Actor) -> Listed[MemberShown]:
    """The organization's members by name."""
    only = members.Filter(roles=query.role, workspace_id=query.workspace_id, fragment=query.q)
    page = members.list_rows(organization_id, by=by, only=only, cursor=query.cursor, limit=query.limit)
    return listed(page, _shown_line)


@deepset.endpoint("GET", ONE, permission="members:read")
def get_member(organization_id: str, user_id: str, by: Actor) -> MemberShown:
    """One member."""
    return shown(members.get(organization_id, user_id, by=by))


@deepset.endpoint("PATCH", ONE, permission="members:write")
def change_member(organization_id: str, user_id: str, body: MemberChanges, by: Actor) -> MemberShown:
    """Gives a member another role, other workspaces, or both at once."""
    return shown(members.change(organization_id, user_id, by=by, **body.model_dump()))


@deepset.endpoint("DELETE", ONE, status=204, permission="members:write")
def remove_member(organization_id: str, user_id: str, by: Actor) -> None:
    """Removes a member; their API keys here end with it. The account stays."""
    members.remove(organization_id, user_id, by=by)


@deepset.endpoint("POST", "/organization/{organization_id}/leave", status=204)
def leave_organization(organization_id: str, by: Actor) -> None:
    """Ends your own membership."""
    members.leave(organization_id, by=by)


def shown(membership: Membership) -> MemberShown:
    person = membership.user
    return MemberShown(
        user_id=person.id,
        email=person.email,
        given_name=person.given_name,
        family_name=person.family_name,
        role=membership.role.key,
        workspace_ids=[workspace.id for workspace in membership.workspaces],
        member_since=membership.created_at,
    )


def _shown_line(line: members.MemberRow) -> MemberShown:
    return MemberShown(
        user_id=line.user_id,
        email=line.email,
        given_name=line.given_name,
        family_name=line.family_name,
        role=line.role,
        workspace_ids=line.workspace_ids or [],
        member_since=line.created_at,
    )
