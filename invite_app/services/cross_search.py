"""What lists show beside their rows: who else is found under a name, and what members can be narrowed by."""

from dataclasses import dataclass, replace

from sqlalchemy import select

from invite_app.access import Principal
from invite_app.db import session
from invite_app.models import Invitation, Membership, Role, User, Workspace
from invite_app.models.types import now

from . import invitations, pagination, search
from .members import BY_NAME, Filter, narrowed
from .pagination import CappedCount


@dataclass(frozen=True)
class OtherMatches:
    """How many rows of another list a search would find; of a single one whose it is and its state or role."""

    count: CappedCount
    name: str = ""
    what: str = ""


def matching_invitations(principal: Principal, fragment: str) -> OtherMatches | None:
    """The invitations a search would find; None without any, or for those who may not see invitations."""
    if not principal.can("invitations:read"):
        return None
    narrow = invitations.narrowed(principal, invitations.Filter(fragment=fragment))
    if not narrow.tests:
        return None
    found = search.count_with_single_match(narrow, pagination.page_request(None, invitations.NEWEST, 1))
    query = select(found.c.number, Invitation).select_from(found).outerjoin(Invitation, Invitation.id == found.c.key)
    number, one = session().execute(query).one()
    also = OtherMatches(CappedCount(number, search.COUNT_CAP))
    return replace(also, name=one.name or one.email, what=one.state_at(now())) if one else also if number else None


def matching_members(principal: Principal, fragment: str) -> OtherMatches | None:
    """The members a search would find; None without any, or for those who may not see members."""
    if not principal.can("members:read"):
        return None
    by_name = BY_NAME
    narrow = narrowed(principal.organization.id, Filter(fragment=fragment), by_name)
    if not narrow.tests:
        return None
    found = search.count_with_single_match(narrow, pagination.page_request(None, by_name, 1))
    query = (
        select(found.c.number, User, Role.name)
        .select_from(found)
        .outerjoin(Membership, Membership.id == found.c.key)
        .outerjoin(User, User.id == Membership.user_id)
        .outerjoin(Role, Role.id == Membership.role_id)
    )
    number, one, role = session().execute(query).one()
    also = OtherMatches(CappedCount(number, search.COUNT_CAP))
    return replace(also, name=one.name or one.email, what=role) if one else also if number else None


def filter_options(principal: Principal) -> tuple[list[Role], list[Workspace]]:
    """Everything a list can be narrowed by, for those who may see the list."""
    here = principal.organization.id
    roles = select(Role).where(Role.organization_id == here)
    workspaces = select(Workspace).where(Workspace.organization_id == here)
    return (
        list(session().scalars(roles.order_by(Role.is_built_in.desc(), Role.created_at, Role.id))),
        list(session().scalars(workspaces.order_by(Workspace.folded_name))),
    )
