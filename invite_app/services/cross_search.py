"""Matches of a search in the other list, and the options of list filters."""

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
    """Number of matches in the other list. For a single match, `name` is the person and `what` the state or role."""

    count: CappedCount
    name: str = ""
    what: str = ""


def matching_invitations(principal: Principal, fragment: str) -> OtherMatches | None:
    """Count the invitations that match; None without a match or without permission to see invitations."""
    if not principal.can("invitations:read"):
        return None
    narrow = invitations.narrowed(principal, invitations.Filter(fragment=fragment))
    if not narrow.tests:
        return None
    found = search.count_with_single_match(narrow, pagination.page_request(None, invitations.NEWEST, 1))
    query = select(found.c.number, Invitation).select_from(found).outerjoin(Invitation, Invitation.id == found.c.key)
    number, invitation = session().execute(query).one()
    matches = OtherMatches(CappedCount(number, search.COUNT_CAP))
    if invitation is None:
        return matches if number else None
    return replace(matches, name=invitation.name or invitation.email, what=invitation.state_at(now()))


def matching_members(principal: Principal, fragment: str) -> OtherMatches | None:
    """Count the members that match; None without a match or without permission to see members."""
    if not principal.can("members:read"):
        return None
    narrow = narrowed(principal.organization.id, Filter(fragment=fragment), BY_NAME)
    if not narrow.tests:
        return None
    found = search.count_with_single_match(narrow, pagination.page_request(None, BY_NAME, 1))
    query = (
        select(found.c.number, User, Role.name)
        .select_from(found)
        .outerjoin(Membership, Membership.id == found.c.key)
        .outerjoin(User, User.id == Membership.user_id)
        .outerjoin(Role, Role.id == Membership.role_id)
    )
    number, user, role = session().execute(query).one()
    matches = OtherMatches(CappedCount(number, search.COUNT_CAP))
    if user is None:
        return matches if number else None
    return replace(matches, name=user.name or user.email, what=role)


def filter_options(principal: Principal) -> tuple[list[Role], list[Workspace]]:
    """Return the roles and workspaces that a list can be filtered by. The caller has checked permissions."""
    here = principal.organization.id
    roles = select(Role).where(Role.organization_id == here)
    workspaces = select(Workspace).where(Workspace.organization_id == here)
    return (
        list(session().scalars(roles.order_by(Role.is_built_in.desc(), Role.created_at, Role.id))),
        list(session().scalars(workspaces.order_by(Workspace.folded_name))),
    )
