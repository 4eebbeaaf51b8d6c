"""What a list of members shows beside its rows: when people were last here, and who is invited under that name."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from invite_app.access import Standing
from invite_app.db import session
from invite_app.models import Invitation, InvitationState, Membership, Role, Session, Workspace
from invite_app.models.base import now

from . import invitation_lists, member_lists
from .cursors import Page


@dataclass(frozen=True)
class Invited:
    """How many invitations match a search, and the newest of them with its state."""

    count: int
    newest: Invitation
    state: InvitationState


def last_seen(user_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """When each of these people last did something in a browser; those who are signed in nowhere are left out."""
    query = (
        select(Session.user_id, func.max(Session.last_seen_at))
        .where(Session.user_id.in_(user_ids))
        .group_by(Session.user_id)
    )
    return {row[0]: row[1] for row in session().execute(query)} if user_ids else {}


def invited(standing: Standing, fragment: str) -> Invited | None:
    """The invitations a search would find; None without any, or for those who may not see invitations."""
    if not fragment or not standing.may("invitations:read"):
        return None
    page = invitation_lists.first(standing, invitation_lists.Filter(fragment=fragment))
    return Invited(page.total, page.items[0], page.items[0].state_at(now())) if page.items else None


def members(standing: Standing, fragment: str) -> Page[Membership] | None:
    """The first member whom a search would find, and how many; None without any, or for who may not see members."""
    if not fragment or not standing.may("members:read"):
        return None
    only = member_lists.Filter(fragment=fragment)
    page = member_lists.list_page(standing.organization.id, by=standing.actor, only=only, limit=1)
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
