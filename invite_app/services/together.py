"""Inviting a few people in one deed: all of them, or nobody."""

from collections.abc import Sequence
from uuid import UUID

from invite_app.access import Actor, locked
from invite_app.errors import DuplicateInList, ListTooLong
from invite_app.models import Invitation

from . import admission, drafts, invitations, validation

MAX_ROWS = 10


def send(organization_id: UUID | str, rows: Sequence[drafts.Draft], *, by: Actor) -> list[Invitation]:
    """Invite everybody on the list, in its order; the mails are queued.

    Raises ListTooLong, DuplicateInList and, for the first draft that something stands in the way of, what
    `invitations.send` raises; then nobody is invited.
    """
    with locked(organization_id, by=by, needs="invitations:write") as standing:
        if len(rows) > MAX_ROWS:
            raise ListTooLong(len(rows), MAX_ROWS)
        _check_repeats(rows)
        sent = [invitations.add(standing, draft) for draft in rows]
        admission.check_pace(standing)
    return sent


def _check_repeats(rows: Sequence[drafts.Draft]) -> None:
    first: dict[str, int] = {}
    for row, draft in enumerate(rows, start=1):
        address = validation.email(draft.email)
        if first.setdefault(address, row) != row:
            raise DuplicateInList(address, first[address])
