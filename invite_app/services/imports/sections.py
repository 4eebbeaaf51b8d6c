"""The sections of a list: which rows are ready, which have no seat, and which wait for somebody.

Seats are counted whenever a list is looked at, so "no seat" is not written into a row.
"""

from sqlalchemy import ColumnElement, func, select

from invite_app.access import Principal
from invite_app.db import session
from invite_app.models import Import, ImportRow, RowState
from invite_app.services import invitations


def last_row_with_seat(principal: Principal, sheet: Import) -> int | None:
    """The last ready row for which there is a seat; None when there is one for all, -1 when for none."""
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
    """Which seat a ready row would need, counted from the first ready one."""
    before = select(func.count()).where(
        ImportRow.sheet_id == sheet.id, ImportRow.state == RowState.READY, ImportRow.position < position
    )
    return (session().scalar(before) or 0) + 1
