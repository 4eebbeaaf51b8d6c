"""Inviting a few people in one deed: all of them, or nobody."""

from collections.abc import Sequence
from uuid import UUID

from invite_app.access import Actor, Standing, locked
from invite_app.errors import DuplicateInList, ListTooLong
from invite_app.models import Invitation

from . import delivery, invitations, values
from .drafts import Draft

MAX_DRAFTS = 10


def send(organization_id: UUID | str, drafts: Sequence[Draft], *, by: Actor) -> list[Invitation]:
    """Invite everybody on the list, in its order; the mails are queued.

    Raises ListTooLong, DuplicateInList and, for the first draft that something stands in the way of, what
    `invitations.send` raises; then nobody is invited.
    """
    with locked(organization_id, by=by, needs="invitations:write") as standing:
        if len(drafts) > MAX_DRAFTS:
            raise ListTooLong(len(drafts), MAX_DRAFTS)
        _check_repeats(drafts)
        return [_add(standing, draft) for draft in drafts]


def _check_repeats(drafts: Sequence[Draft]) -> None:
    rows: dict[str, int] = {}
    for row, draft in enumerate(drafts, start=1):
        address = values.email(draft.email)
        if rows.setdefault(address, row) != row:
            raise DuplicateInList(address, rows[address])


def _add(standing: Standing, draft: Draft) -> Invitation:
    invitation = invitations.add(standing, draft)
    if draft.notify:
        invitation.message = delivery.enqueue(invitation, at_once=False)
    return invitation
