"""The sections of a list: which rows are ready, which have no seat, and which wait for somebody.

Seats are counted whenever a list is looked at, so "no seat" is not written into a row.
"""

from sqlalchemy import ColumnElement, func, select

from invite_app.access import Principal
from invite_app.db import session
from invite_app.models import RowState, Sheet, SheetRow
from invite_app.services import invitations


def last_position_with_seat(principal: Principal, sheet: Sheet) -> int | None:
    """The last ready row for which there is a seat; None when there is one for all, -1 when for none."""
    room = invitations.seats_left(principal.organization)
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


def conditions(section: str, last_seat: int | None) -> ColumnElement[bool]:
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


def seat_number(sheet: Sheet, position: int) -> int:
    """Which seat a ready row would need, counted from the first ready one."""
    before = select(func.count()).where(
        SheetRow.sheet_id == sheet.id, SheetRow.state == RowState.READY, SheetRow.position < position
    )
    return (session().scalar(before) or 0) + 1
