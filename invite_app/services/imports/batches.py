"""Batches: invite a list of people. An invalid row does not stop the others."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, select, update

from invite_app import ids
from invite_app.access import Actor, Principal, authorize, organization_transaction
from invite_app.bounds import bounds
from invite_app.db import ignore, rows, session
from invite_app.errors import (
    BatchNotFound,
    DomainError,
    DuplicateRow,
    RateLimited,
    SeatLimitReached,
    TooManyRows,
)
from invite_app.models import Batch, DeliveryState, Invitation, OutboxMessage
from invite_app.models.types import now
from invite_app.services import audit, delivery, invitations
from invite_app.services.invitations import CachedLookup, Draft

MAX_ROWS = 10_000
# Rows in one transaction; other writers get the organization's lock between chunks.
CHUNK = 1000

Item = TypeVar("Item")


@dataclass(frozen=True)
class RowResult:
    """The result of one row: an invitation or an error; neither for a valid row of a dry run."""

    draft: Draft
    error: DomainError | None = None
    invitation_id: UUID | None = None


@dataclass(frozen=True)
class BatchProgress:
    """Number of mails of a batch by delivery state."""

    batch: Batch
    queued: int
    sent: int
    failed: int


def unseen(start: int, results: Sequence[RowResult]) -> None:
    """Do nothing: the default callback for the results of a chunk."""


def dry_run(organization_id: UUID | str, rows: Sequence[Draft], *, by: Actor) -> list[RowResult]:
    """Return what `send_batch` would do with these rows; nothing is stored.

    Raises TooManyRows, PlanUpgradeRequired and ServiceBusy.
    """
    _check_length(rows)
    authorize(by, organization_id, "invitations:write")
    with bounds().list_of(str(organization_id), len(rows)):
        return list(dry_run_each(organization_id, rows, by=by))


def dry_run_each(organization_id: UUID | str, rows: Iterable[Draft], *, by: Actor) -> Iterator[RowResult]:
    """Yield the dry-run results of a list of any length. Raises PlanUpgradeRequired."""
    principal = authorize(by, organization_id, "invitations:write")
    invitations.check_plan(principal.organization)
    judge = _RowValidator(principal, invitations.seats_left(principal.organization))
    for chunk in _chunks(rows):
        for result, _ in judge.judge(principal, chunk):
            yield result


def send_batch(
    organization_id: UUID | str,
    rows: Sequence[Draft],
    *,
    by: Actor,
    then: Callable[[Batch], None] = ignore,
    each: Callable[[int, Sequence[RowResult]], None] = unseen,
) -> tuple[Batch, list[RowResult]]:
    """Invite everybody on the list who passes the checks of a single invitation; the mails are queued.

    `then` is called with the new batch in the first transaction. `each` is called in the transaction of each chunk,
    with the index of its first row and its results.

    Raises TooManyRows, PlanUpgradeRequired, RateLimited and ServiceBusy; errors of a row are in its result.
    """
    authorize(by, organization_id, "invitations:write")
    with bounds().list_of(str(organization_id), len(rows)):
        batch = _open_batch(organization_id, rows, by, then)
        results: list[RowResult] = []
        judge = None
        for chunk in _chunks(rows):
            with organization_transaction(organization_id, by=by, needs="invitations:write") as principal:
                invitations.expire_overdue(principal.organization)
                judge = (judge or _RowValidator(principal, None)).with_room(
                    invitations.seats_left(principal.organization)
                )
                judged = [_within_pace(*one) for one in judge.judge(principal, chunk)]
                accepted = [invitation for _, invitation in judged if invitation is not None]
                _insert(principal, batch.id, accepted)
                chunk_results = [_result(result, invitation) for result, invitation in judged]
                each(len(results), chunk_results)
                refused = len(judged) - len(accepted)
                _count(batch, sent=len(accepted), refused=refused, is_last=len(results) + len(chunk) == len(rows))
            results += chunk_results
    return batch, results


def batch_progress(organization_id: UUID | str, batch_id: UUID | str, *, by: Actor) -> BatchProgress:
    """Raises BatchNotFound."""
    principal = authorize(by, organization_id, "invitations:read")
    batch = session().get(Batch, ids.parse_id(batch_id, BatchNotFound(str(batch_id))))
    if batch is None or batch.organization_id != principal.organization.id:
        raise BatchNotFound(str(batch_id))
    query = (
        select(OutboxMessage.state, func.count())
        .join(Invitation, Invitation.id == OutboxMessage.invitation_id)
        .where(Invitation.batch_id == batch.id)
        .group_by(OutboxMessage.state)
    )
    counted = {state: count for state, count in session().execute(query)}  # noqa: C416 - rows are no pairs to mypy
    return BatchProgress(batch, *(counted.get(state, 0) for state in DeliveryState))


class _RowValidator:
    """Validates rows in order, and tracks addresses already seen and seats left."""

    def __init__(self, principal: Principal, room: int | None) -> None:
        self._catalog = CachedLookup(principal.organization.id)
        self._first_row: dict[str, int] = {}
        self._position = 0
        self._room = room

    def with_room(self, room: int | None) -> "_RowValidator":
        self._room = room
        self._catalog = CachedLookup(self._catalog.organization_id)
        return self

    def judge(self, principal: Principal, rows: Sequence[Draft]) -> Iterator[tuple[RowResult, Invitation | None]]:
        """Yield each row's result, with the invitation of a valid row."""
        built = [self._build(principal, row) for row in rows]
        found = invitations.unavailable(
            principal.organization.id, [item.email for item in built if isinstance(item, Invitation)]
        )
        for row, item in zip(rows, built, strict=True):
            self._position += 1
            if isinstance(item, DomainError):
                yield RowResult(row, item), None
            elif error := found.get(item.email) or self._find_obstacle(principal, item.email):
                yield RowResult(row, error), None
            else:
                yield RowResult(row), item

    def _build(self, principal: Principal, row: Draft) -> Invitation | DomainError:
        try:
            return invitations.build(principal, row, self._catalog)
        except DomainError as error:
            return error

    def _find_obstacle(self, principal: Principal, email: str) -> DomainError | None:
        if first := self._first_row.get(email):
            return DuplicateRow(email, first)
        if self._room is not None:
            if self._room <= 0:
                return SeatLimitReached(principal.organization.seat_limit or 0)
            self._room -= 1
        self._first_row[email] = self._position
        return None


def _within_pace(judged: RowResult, invitation: Invitation | None) -> tuple[RowResult, Invitation | None]:
    """Return the result, replaced by RateLimited if the recipient got too many invitations."""
    if invitation is None:
        return judged, None
    try:
        invitations.check_recipient_rate(invitation.email)
    except RateLimited as error:
        return RowResult(judged.draft, error), None
    return judged, invitation


def _result(judged: RowResult, invitation: Invitation | None) -> RowResult:
    return RowResult(judged.draft, judged.error, invitation.id if invitation else None)


def _open_batch(
    organization_id: UUID | str, rows: Sequence[Draft], by: Actor, then: Callable[[Batch], None]
) -> Batch:
    with organization_transaction(organization_id, by=by, needs="invitations:write") as principal:
        invitations.check_plan(principal.organization)
        _check_length(rows)
        invitations.check_inviter_rate(principal)
        batch = Batch(
            organization_id=principal.organization.id,
            created_by_id=principal.user.id if principal.user else None,
            total=len(rows),
        )
        session().add(batch)
        session().flush()
        then(batch)
    return batch


def _insert(principal: Principal, batch_id: UUID, accepted: Sequence[Invitation]) -> None:
    """Insert the invitations of a chunk, then messages and audit events, copied from them inside the database."""
    if not accepted:
        return
    for invitation in accepted:
        invitation.batch_id = batch_id
    rows.insert_all(accepted)
    invitations.insert_workspaces(accepted)
    principal.organization.pending_count += len(accepted)
    ours = (Invitation.batch_id == batch_id) & Invitation.id.between(accepted[0].id, accepted[-1].id)
    message = delivery.new_message(accepted[0], at_once=False)
    rows.insert_for_each(message, ours, id=Invitation.id, invitation_id=Invitation.id)
    for invitation in {invitation.role_id: invitation for invitation in accepted}.values():
        after = {"role": invitation.role_name, "batch": str(batch_id)}
        sent = audit.new_event(principal.organization.id, principal, "invitation.sent", invitation, after=after)
        same_role = ours & (Invitation.role_id == invitation.role_id)
        rows.insert_for_each(sent, same_role, id=Invitation.id, target_id=Invitation.id, target_name=Invitation.email)


def _count(batch: Batch, *, sent: int, refused: int, is_last: bool) -> None:
    finished_at = now() if is_last else None
    session().execute(
        update(Batch)
        .where(Batch.id == batch.id)
        .values(sent=Batch.sent + sent, refused=Batch.refused + refused, finished_at=finished_at)
    )


def _check_length(rows: Sequence[Draft]) -> None:
    if len(rows) > MAX_ROWS:
        raise TooManyRows(len(rows), MAX_ROWS)


def _chunks(rows: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
