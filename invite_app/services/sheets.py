"""Inviting many, step by step: a list is pasted, judged row by row, mended, and what is ready is sent.

Nothing is lost between the steps: the list stays, so a page can be reloaded, closed and opened again. How a row is
judged is in `sheet_rows`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update

from invite_app import ids
from invite_app.access import Actor, Standing, authorize, locked
from invite_app.db import session, transaction
from invite_app.errors import SheetUnknown
from invite_app.models import Batch, RowState, Sheet, SheetRow
from invite_app.models.base import now

from . import bulk, drafts, seats, sheet_rows
from .sheet_text import Line

LIFETIME = timedelta(days=30)
PAGE = 50
SECTIONS = ("not_ready", "fix", "check", "no_seat", "skipped", "ready", "sent")


@dataclass(frozen=True)
class Summary:
    """How many rows are in which section. `ready` are those for which there is a seat."""

    sheet: Sheet
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
    """One row as a page shows it; `seat` is the number of the seat it would need, where there is none."""

    row: SheetRow
    state: str
    seat: int | None = None


def create(
    organization_id: UUID | str, lines: Sequence[Line], *, by: Actor, role: str, workspaces: Sequence[str] = ()
) -> Sheet:
    """Keep a list and judge its rows. Role and workspaces are for rows that name none.

    Raises PlanUpgradeRequired, RoleUnknown and RoleAboveOwn (for that role).
    """
    with locked(organization_id, by=by, needs="invitations:write") as standing:
        drafts.check_plan(standing.organization)
        sheet = Sheet(
            organization_id=standing.organization.id,
            created_by_id=standing.user.id if standing.user else None,
            role=role,
            workspaces=list(workspaces),
        )
        sheet_rows.check_default_role(standing, sheet)
        session().add(sheet)
        session().flush()
        sheet_rows.add(standing, sheet, lines)
    return sheet


def summarize(organization_id: UUID | str, sheet_id: UUID | str, *, by: Actor) -> Summary:
    """Raises SheetUnknown."""
    standing, sheet = _open(organization_id, sheet_id, by)
    query = select(SheetRow.state, func.count()).where(SheetRow.sheet_id == sheet.id).group_by(SheetRow.state)
    counted = {state: count for state, count in session().execute(query)}  # noqa: C416 - rows are no pairs to mypy
    ready = counted.get(RowState.READY, 0)
    room = seats.free(standing.organization)
    with_seat = ready if room is None else min(ready, max(room, 0))
    return Summary(
        sheet=sheet,
        total=sum(counted.values()),
        ready=with_seat,
        no_seat=ready - with_seat,
        **{name: counted.get(RowState(name), 0) for name in ("check", "fix", "skipped", "sent")},
    )


def list_rows(
    organization_id: UUID | str, sheet_id: UUID | str, section: str, *, by: Actor, page: int = 1
) -> list[Row]:
    """Fifty rows of one section, those first that need somebody. Raises SheetUnknown."""
    standing, sheet = _open(organization_id, sheet_id, by)
    last_seat = _last_position_with_seat(standing, sheet)
    query = (
        select(SheetRow)
        .where(SheetRow.sheet_id == sheet.id, _in_section(section, last_seat))
        .order_by(sheet_rows.URGENCY, SheetRow.position)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return [_shown(row, last_seat) for row in session().scalars(query)]


def change_row(
    organization_id: UUID | str, sheet_id: UUID | str, position: int, line: Line, *, by: Actor, keep: bool = False
) -> Row:
    """Mend one row and judge it anew, with those that share its address; `keep` says the address is meant so.

    Raises SheetUnknown, also for a row that was sent meanwhile.
    """
    with locked(organization_id, by=by, needs="invitations:write") as standing:
        sheet = _find(standing, sheet_id)
        row = session().get(SheetRow, (sheet.id, position))
        if row is None or row.state == RowState.SENT:
            raise SheetUnknown(str(sheet_id))
        sheet_rows.change(standing, sheet, row, line, keep=keep)
        session().flush()
        return _shown(row, _last_position_with_seat(standing, sheet))


def send(organization_id: UUID | str, sheet_id: UUID | str, *, by: Actor) -> Batch:
    """Invite everybody whose row is ready and has a seat; the mails are queued. Raises SheetUnknown, RateLimited."""
    standing, sheet = _open(organization_id, sheet_id, by)
    last_seat = _last_position_with_seat(standing, sheet)
    query = (
        select(SheetRow)
        .where(SheetRow.sheet_id == sheet.id, _in_section("ready", last_seat))
        .order_by(SheetRow.position)
    )
    rows = list(session().scalars(query))
    to_draft = sheet_rows.reader(standing, sheet)
    batch, _ = bulk.send(
        organization_id,
        [to_draft(row) for row in rows],
        by=by,
        then=lambda batch: _note_batch(sheet.id, batch),
        each=lambda start, results: sheet_rows.settle(sheet.id, rows[start : start + len(results)], results),
    )
    return batch


def leftovers(organization_id: UUID | str, sheet_id: UUID | str, *, by: Actor) -> list[tuple[Line, str]]:
    """The rows that were not sent, as they were written, each with the reason. Raises SheetUnknown."""
    _, sheet = _open(organization_id, sheet_id, by)
    query = (
        select(SheetRow)
        .where(SheetRow.sheet_id == sheet.id, SheetRow.state != RowState.SENT)
        .order_by(SheetRow.position)
    )
    return [(sheet_rows.line_of(row), row.reason) for row in session().scalars(query)]


def delete_sheet(organization_id: UUID | str, sheet_id: UUID | str, *, by: Actor) -> None:
    """Start over. What was sent stays sent. Raises SheetUnknown."""
    with locked(organization_id, by=by, needs="invitations:write") as standing:
        session().delete(_find(standing, sheet_id))


def clean_up() -> int:
    """Delete lists that nobody has come back to for a month; how many."""
    with transaction() as writing:
        gone = writing.execute(delete(Sheet).where(Sheet.created_at < now() - LIFETIME))
    return int(gone.rowcount)  # type: ignore[attr-defined]  # a DELETE's result has a row count


def _open(organization_id: UUID | str, sheet_id: UUID | str, by: Actor) -> tuple[Standing, Sheet]:
    standing = authorize(by, organization_id, "invitations:write")
    return standing, _find(standing, sheet_id)


def _find(standing: Standing, sheet_id: UUID | str) -> Sheet:
    sheet = session().get(Sheet, ids.parse(sheet_id, SheetUnknown(str(sheet_id))))
    if sheet is None or sheet.organization_id != standing.organization.id:
        raise SheetUnknown(str(sheet_id))
    return sheet


def _last_position_with_seat(standing: Standing, sheet: Sheet) -> int | None:
    """The last ready row for which there is a seat; None when there is one for all, -1 when for none."""
    room = seats.free(standing.organization)
    if room is None:
        return None
    if room <= 0:
        return -1
    ready = (
        select(SheetRow.position)
        .where(SheetRow.sheet_id == sheet.id, SheetRow.state == RowState.READY)
        .order_by(SheetRow.position)
    )
    return session().scalar(ready.offset(room - 1).limit(1))


def _in_section(section: str, last_seat: int | None) -> ColumnElement[bool]:
    ready = SheetRow.state == RowState.READY
    has_seat = ready if last_seat is None else ready & (SheetRow.position <= last_seat)
    match section:
        case "ready":
            return has_seat
        case "no_seat":
            return ready & ~has_seat
        case "fix" | "check" | "skipped" | "sent":
            return SheetRow.state == section
        case _:
            return ~has_seat & (SheetRow.state != RowState.SENT)


def _shown(row: SheetRow, last_seat: int | None) -> Row:
    if row.state == RowState.READY and last_seat is not None and row.position > last_seat:
        return Row(row, "no_seat")
    return Row(row, row.state)


def _note_batch(sheet_id: UUID, batch: Batch) -> None:
    session().execute(update(Sheet).where(Sheet.id == sheet_id).values(batch_id=batch.id))
