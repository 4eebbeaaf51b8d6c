"""Filters of member lists, and their conditions."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute

from invite_app import ids
from invite_app.db import session
from invite_app.models import Membership, User, membership_workspaces
from invite_app.services import pagination, roles, search, validation


@dataclass(frozen=True)
class Filter:
    """Filters of a member list; empty values do not filter.

    Unknown or invalid ids, addresses and roles match nobody. `account_since` and `account_until` compare the creation
    time of the account.
    """

    user_ids: Collection[UUID | str] = ()
    without_user_ids: Collection[UUID | str] = ()
    emails: Collection[str] = ()
    roles: Collection[str] = ()
    workspace_id: UUID | None = None
    fragment: str = ""
    email_fragment: str = ""
    name_fragment: str = ""
    account_since: datetime | None = None
    account_until: datetime | None = None

    @property
    def given(self) -> list[str]:
        """Return the names of the filters that are set."""
        return [name for name, value in vars(self).items() if value]


NO_FILTERS = Filter()


def narrowed(organization_id: UUID, only: Filter, order: pagination.Order[Membership]) -> search.FilteredList:
    """Return the organization's list with these filters."""
    equals: dict[InstrumentedAttribute[Any], Any] = {Membership.organization_id: organization_id}
    conditions, tests = _conditions(only), _searches(organization_id, only)
    if only.roles:
        found = list(session().scalars(roles.ids_named(organization_id, only.roles)))
        if len(found) == 1:
            equals[Membership.role_id] = found[0]
        else:
            conditions.append(Membership.role_id.in_(found))
    if only.workspace_id is not None:
        tests.insert(0, _in_workspace(only.workspace_id))
    of_person = (only.emails, only.account_since, only.account_until, only.email_fragment, only.name_fragment)
    needs_person = any(of_person) or order.columns[0].class_ is User
    rows = select(Membership).join(Membership.user) if needs_person else select(Membership)
    return search.FilteredList(rows, Membership.id, equals, conditions, tests=tests)


def _searches(organization_id: UUID, only: Filter) -> list[search.Test]:
    name = func.substr(Membership.sort_name, 1, func.length(Membership.sort_name) - func.length(User.email))
    parts = (
        (only.fragment, Membership.sort_name),
        (only.email_fragment, User.email),
        (only.name_fragment, name),
    )
    return [
        words.test(organization_id, column)
        for part, column in parts
        if (words := search.search_terms(Membership, part))
    ]


def _in_workspace(workspace_id: UUID) -> search.Test:
    links = membership_workspaces.c

    def is_in(membership_id: search.Column) -> list[ColumnElement[bool]]:
        return [exists().where(links.membership_id == membership_id, links.workspace_id == workspace_id)]

    ids_there = select(links.membership_id).where(links.workspace_id == workspace_id)
    return search.Test(Membership.id, is_in, ids_there)


def _conditions(only: Filter) -> list[ColumnElement[bool]]:
    conditions: list[Any] = []
    if only.user_ids:
        conditions.append(Membership.user_id.in_(ids.valid_ids(only.user_ids)))
    if only.without_user_ids:
        conditions.append(Membership.user_id.not_in(ids.valid_ids(only.without_user_ids)))
    if only.emails:
        conditions.append(User.email.in_(validation.valid_emails(only.emails)))
    if only.account_since is not None:
        conditions.append(User.created_at > only.account_since)
    if only.account_until is not None:
        conditions.append(User.created_at < only.account_until)
    return conditions
