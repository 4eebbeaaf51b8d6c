"""Trying a list of invitations out: every check of `invitations.send`, row after row, and nothing is kept."""

from collections.abc import Iterable
from uuid import UUID

from invite_app.access import Actor, Standing, locked
from invite_app.db import session
from invite_app.errors import DomainError

from . import invitations


class _Over(Exception):
    """Ends the rehearsal's transaction without a commit."""


def rehearse(
    organization_id: UUID | str, drafts: Iterable[invitations.Draft], *, by: Actor
) -> list[DomainError | None]:
    """What would stand in the way of each draft if they were sent in this order; None where nothing would.

    Seats that earlier rows would take and addresses they would invite count. Raises OrganizationUnknown and
    PermissionMissing.
    """
    found: list[DomainError | None] = []
    try:
        with locked(organization_id, by=by, needs="invitations:write") as standing:
            found.extend(_obstacle(standing, draft) for draft in drafts)
            raise _Over
    except _Over:
        return found


def _obstacle(standing: Standing, draft: invitations.Draft) -> DomainError | None:
    try:
        with session().begin_nested():
            invitations.add(standing, draft)
    except DomainError as error:
        return error
    return None
