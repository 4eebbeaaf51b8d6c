"""Sections of an import's rows: ready, without a seat, to be corrected.

"No seat" is not stored in a row, because the number of free seats changes.
"""

from sqlalchemy import ColumnElement, func, select

from invite_app.access import Principal
from invite_app.db import session
from invite_app.models import Import, ImportRow, RowState
from invite_app.services import invitations


def last_row_with_seat(principal: Principal, sheet: Import) -> int | None:
    """Return the position of the last ready row with a seat; None if all have one, -1 if none has."""
    room = invitations.seats_left(principal.organization)
    if room is None:
        return None
    if room <= 0:
        return -1
    ready = (
        select(ImportRow.position)
        .where(ImportRow.sheet_id == sheet.id, ImportRow.state == RowState.READY)
        .order_by(ImportRow.position)
    )
    return session().scalar(ready.offset(room - 1).limit(1))


def conditions(section: str, last_seat: int | None) -> ColumnElement[bool]:
    ready = ImportRow.state == RowState.READY
    has_seat = ready if last_seat is None else ready & (ImportRow.position <= last_seat)
    match section:
        case "ready":
            return has_seat
        case "no_seat":
            return ready & ~has_seat
        case "fix" | "check" | "skipped" | "sent":
            return ImportRow.state == section
        case _:
            return ~has_seat & (ImportRow.state != RowState.SENT)


def seat_number(sheet: Import, position: int) -> int:
    """Return the number of the seat that a ready row needs, counted from the first ready row."""
    before = select(func.count()).where(
        ImportRow.sheet_id == sheet.id, ImportRow.state == RowState.READY, ImportRow.position < position
    )
    return (session().scalar(before) or 0) + 1
