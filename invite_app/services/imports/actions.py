"""Imports, step by step: create, review and correct rows, and send the ready ones.

The rows are stored between the steps, so an import can be continued later. `import_rows` validates them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from uuid_utils.compat import uuid7

from invite_app import ids
from invite_app.access import Actor, Principal, authorize, organization_transaction
from invite_app.bounds import bounds
from invite_app.db import session
from invite_app.errors import ImportNotFound
from invite_app.models import Batch, Import, ImportRow, RowState
from invite_app.services import invitations

from . import batches, import_rows, sections
from .parser import MAX_ROWS, ImportLine, clean_cell, with_cells

LIFETIME = timedelta(days=30)
PAGE = 50


@dataclass(frozen=True)
class ImportSummary:
    """Number of rows in each section. `ready` counts rows that have a seat."""

    sheet: Import
    total: int
    ready: int
    no_seat: int
    check: int
    fix: int
    skipped: int
    sent: int

    @property
    def not_ready(self) -> int:
        return self.no_seat + self.check + self.fix + self.skipped


@dataclass(frozen=True)
class Row:
    """A row as shown on a page. `seat` is the number of the seat that a row without a seat would need."""

    row: ImportRow
    state: str
    seat: int | None = None


def create(
    organization_id: UUID | str, lines: Sequence[ImportLine], *, by: Actor, role: str, workspaces: Sequence[str] = ()
) -> Import:
    """Validate and store a list. `role` and `workspaces` are the defaults of its rows.

    Raises PlanUpgradeRequired, RoleNotFound, CannotGrantRole (for that role) and ServiceBusy.
    """
    principal = authorize(by, organization_id, "invitations:write")
    invitations.check_plan(principal.organization)
    sheet = Import(
        id=uuid7(),
        organization_id=principal.organization.id,
        created_by_id=principal.user.id if principal.user else None,
        role=role,
        workspaces=[clean_cell(name) for name in workspaces],
    )
    import_rows.check_default_role(principal, sheet)
    with bounds().list_of(str(organization_id), len(lines)):
        rows = import_rows.judge(principal, sheet, lines)
        with organization_transaction(organization_id, by=by, needs="invitations:write"):
            session().add(sheet)
            session().flush()
            import_rows.insert_all(rows)
    return sheet


def summarize(organization_id: UUID | str, sheet_id: UUID | str, *, by: Actor) -> ImportSummary:
    """Raises ImportNotFound."""
    principal, sheet = get(organization_id, sheet_id, by)
    query = select(ImportRow.state, func.count()).where(ImportRow.sheet_id == sheet.id).group_by(ImportRow.state)
    counted = {state: count for state, count in session().execute(query)}  # noqa: C416 - rows are no pairs to mypy
    ready = counted.get(RowState.READY, 0)
    room = invitations.seats_left(principal.organization)
    with_seat = ready if room is None else min(ready, max(room, 0))
    return ImportSummary(
        sheet=sheet,
        total=sum(counted.values()),
        ready=with_seat,
        no_seat=ready - with_seat,
        **{name: counted.get(RowState(name), 0) for name in ("check", "fix", "skipped", "sent")},
    )


def list_rows(
    organization_id: UUID | str, sheet_id: UUID | str, section: str, *, by: Actor, page: int = 1
) -> list[Row]:
    """Return a page of rows of one section, most urgent first. Raises ImportNotFound."""
    principal, sheet = get(organization_id, sheet_id, by)
    last_seat = sections.last_row_with_seat(principal, sheet)
    query = (
        select(ImportRow)
        .where(ImportRow.sheet_id == sheet.id, sections.conditions(section, last_seat))
        .order_by(import_rows.BY_URGENCY, ImportRow.position)
        .limit(PAGE)
        .offset((min(page, MAX_ROWS // PAGE + 1) - 1) * PAGE)
    )
    rows = [_shown(row, last_seat) for row in session().scalars(query)]
    return _with_seat_numbers(sheet, rows)


def replace_row(
    organization_id: UUID | str,
    sheet_id: UUID | str,
    position: int,
    line: ImportLine,
    *,
    by: Actor,
    keep: bool = False,
) -> Row:
    """Replace a row and validate it again, with rows of the same address; `keep` confirms an unusual address.

    Raises ImportNotFound, also for a row that was sent meanwhile.
    """
    return _rewrite(organization_id, sheet_id, position, lambda _: line, by, keep)


def update_cells(
    organization_id: UUID | str,
    sheet_id: UUID | str,
    position: int,
    cells: Mapping[str, str],
    *,
    by: Actor,
    keep: bool,
) -> Row:
    """Replace some cells of a row, like `replace_row`. Raises ImportNotFound."""
    return _rewrite(organization_id, sheet_id, position, lambda line: with_cells(line, cells), by, keep)


def send(organization_id: UUID | str, sheet_id: UUID | str, *, by: Actor) -> Batch:
    """Send the ready rows that have a seat; the mails are queued.

    Raises ImportNotFound, RateLimited and ServiceBusy.
    """
    principal, sheet = get(organization_id, sheet_id, by)
    last_seat = sections.last_row_with_seat(principal, sheet)
    query = (
        select(ImportRow)
        .where(ImportRow.sheet_id == sheet.id, sections.conditions("ready", last_seat))
        .order_by(ImportRow.position)
    )
    rows = list(session().scalars(query))
    to_draft = import_rows.reader(principal, sheet)
    batch, _ = batches.send_batch(
        organization_id,
        [to_draft(row) for row in rows],
        by=by,
        then=lambda batch: _note_batch(sheet.id, batch),
        each=lambda start, results: import_rows.store_results(sheet.id, rows[start : start + len(results)], results),
    )
    return batch


def unsent_rows(organization_id: UUID | str, sheet_id: UUID | str, *, by: Actor) -> list[tuple[ImportLine, str]]:
    """Return the rows that were not sent, with their reasons. Raises ImportNotFound."""
    _, sheet = get(organization_id, sheet_id, by)
    query = (
        select(ImportRow)
        .where(ImportRow.sheet_id == sheet.id, ImportRow.state != RowState.SENT)
        .order_by(ImportRow.position)
    )
    return [(import_rows.to_line(row), row.reason) for row in session().scalars(query)]


def delete(organization_id: UUID | str, sheet_id: UUID | str, *, by: Actor) -> None:
    """Delete an import; its sent invitations stay. Raises ImportNotFound."""
    with organization_transaction(organization_id, by=by, needs="invitations:write") as principal:
        session().delete(_find(principal, sheet_id))


def get(organization_id: UUID | str, sheet_id: UUID | str, by: Actor) -> tuple[Principal, Import]:
    """Authorize the actor and return the import. Raises ImportNotFound."""
    principal = authorize(by, organization_id, "invitations:write")
    return principal, _find(principal, sheet_id)


def _rewrite(  # noqa: PLR0917 - private
    organization_id: UUID | str,
    sheet_id: UUID | str,
    position: int,
    new: Callable[[ImportLine], ImportLine],
    by: Actor,
    keep: bool,
) -> Row:
    with organization_transaction(organization_id, by=by, needs="invitations:write") as principal:
        sheet = _find(principal, sheet_id)
        row = session().get(ImportRow, (sheet.id, position)) if position <= MAX_ROWS else None
        if row is None or row.state == RowState.SENT:
            raise ImportNotFound(str(sheet_id))
        import_rows.change(principal, sheet, row, new(import_rows.to_line(row)), keep=keep)
        session().flush()
        return _shown(row, sections.last_row_with_seat(principal, sheet))


def _find(principal: Principal, sheet_id: UUID | str) -> Import:
    sheet = session().get(Import, ids.parse_id(sheet_id, ImportNotFound(str(sheet_id))))
    if sheet is None or sheet.organization_id != principal.organization.id:
        raise ImportNotFound(str(sheet_id))
    return sheet


def _shown(row: ImportRow, last_seat: int | None) -> Row:
    if row.state == RowState.READY and last_seat is not None and row.position > last_seat:
        return Row(row, "no_seat")
    return Row(row, row.state)


def _with_seat_numbers(sheet: Import, rows: list[Row]) -> list[Row]:
    """Number the seats of rows without one; these rows are consecutive, so one query is enough."""
    waiting = [shown.row.position for shown in rows if shown.state == "no_seat"]
    first = sections.seat_number(sheet, waiting[0]) if waiting else 0
    numbers = {position: first + index for index, position in enumerate(waiting)}
    return [replace(shown, seat=numbers.get(shown.row.position)) for shown in rows]


def _note_batch(sheet_id: UUID, batch: Batch) -> None:
    session().execute(update(Import).where(Import.id == sheet_id).values(batch_id=batch.id))
