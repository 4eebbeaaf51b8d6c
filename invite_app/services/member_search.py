"""What lists show beside their rows: who else is found under a name, and what members can be narrowed by."""

from dataclasses import dataclass

from sqlalchemy import select

from invite_app.access import Standing
from invite_app.db import session
from invite_app.models import Invitation, InvitationState, Membership, Role, Workspace
from invite_app.models.base import now

from . import invitation_filters, invitation_lists, member_lists
from .cursors import Page


@dataclass(frozen=True)
class Invited:
    """How many invitations match a search, and the newest of them with its state."""

    count: int
    newest: Invitation
    state: InvitationState


def invited(standing: Standing, fragment: str) -> Invited | None:
    """The invitations a search would find; None without any, or for those who may not see invitations."""
    if not fragment or not standing.may("invitations:read"):
        return None
    page = invitation_lists.first(standing, invitation_filters.Filter(fragment=fragment))
    return Invited(page.total, page.items[0], page.items[0].state_at(now())) if page.items else None


def members(standing: Standing, fragment: str) -> Page[Membership] | None:
    """The first member whom a search would find, and how many; None without any, or for who may not see members."""
    if not fragment or not standing.may("members:read"):
        return None
    only = member_lists.Filter(fragment=fragment)
    page = member_lists.page_of(standing, only=only, limit=1)
    return page if page.items else None


def roles_and_workspaces(standing: Standing) -> tuple[list[Role], list[Workspace]]:
    """Everything a list can be narrowed by, for those who may see the list."""
    here = standing.organization.id
    roles = select(Role).where(Role.organization_id == here)
    workspaces = select(Workspace).where(Workspace.organization_id == here)
    return (
        list(session().scalars(roles.order_by(Role.is_built_in.desc(), Role.created_at, Role.id))),
        list(session().scalars(workspaces.order_by(Workspace.folded_name))),
    )
