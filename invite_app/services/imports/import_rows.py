"""Rows of an import: validation, corrections, and their results after sending."""

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import bindparam, case, insert, select, update

from invite_app.access import Principal
from invite_app.db import session
from invite_app.errors import (
    AlreadyMember,
    CannotGrantRole,
    DomainError,
    DuplicateRow,
    InvalidEmail,
    InvalidValue,
    InvitationPending,
    RoleNotFound,
    WorkspaceNotFound,
)
from invite_app.models import Import, ImportRow, Invitation, RowState
from invite_app.services import invitations, suggestions
from invite_app.services.invitations import CachedLookup

from . import batches
from .parser import ImportLine

# Rows that need a correction come first.
BY_URGENCY = case(
    {state: number for number, state in enumerate(("fix", "check", "ready", "skipped", "sent"))},
    value=ImportRow.state,
)

# The cell that an error is about; other errors without a `field` are about the address.
FIELDS: dict[type[DomainError], str] = {
    InvalidEmail: "email",
    RoleNotFound: "role",
    CannotGrantRole: "role",
    WorkspaceNotFound: "workspaces",
}

NOTHING_TO_SEND = (AlreadyMember, InvitationPending, DuplicateRow)


def check_default_role(principal: Principal, sheet: Import) -> None:
    """Check the default role of the import. Raises RoleNotFound and CannotGrantRole."""
    principal.check_can_grant(CachedLookup(principal.organization.id).role(sheet.role))


def judge(principal: Principal, sheet: Import, lines: Sequence[ImportLine]) -> list[ImportRow]:
    """Return validated rows for the lines, without storing them."""
    rows = [_row(sheet, position, line) for position, line in enumerate(lines, start=1)]
    for start in range(0, len(rows), batches.CHUNK):
        _validate(
            principal,
            sheet,
            rows[start : start + batches.CHUNK],
            {row.address: row for row in reversed(rows[:start])},
        )
    return rows


def insert_all(rows: Sequence[ImportRow]) -> None:
    """Insert the rows in the caller's transaction."""
    if rows:
        columns = [column.key for column in ImportRow.__mapper__.column_attrs]
        session().execute(insert(ImportRow), [{name: getattr(row, name) for name in columns} for row in rows])


def change(principal: Principal, sheet: Import, row: ImportRow, line: ImportLine, *, keep: bool) -> None:
    """Replace a row, and validate it and all rows with its old or new address."""
    before = row.address
    _write(row, line)
    row.is_confirmed = keep
    _validate(principal, sheet, [row], {})
    for address in {before, row.address} - {""}:
        _judge_address(principal, sheet, address)


def reader(
    principal: Principal, sheet: Import, catalog: CachedLookup | None = None
) -> Callable[[ImportRow], invitations.Draft]:
    """Return a function that turns a row into a draft, with workspace ids and the import's defaults."""
    catalog = catalog or CachedLookup(principal.organization.id)

    def read(row: ImportRow) -> invitations.Draft:
        names = row.workspaces or sheet.workspaces
        return invitations.Draft(
            email=row.email,
            role=row.role or sheet.role,
            given_name=row.given_name or None,
            family_name=row.family_name or None,
            workspace_ids=[catalog.workspace_called(name).id for name in names],
        )

    return read


def store_results(sheet_id: UUID, rows: Sequence[ImportRow], results: Sequence[batches.RowResult]) -> None:
    """Store the results of sent rows in the caller's transaction."""
    verdicts = [
        {"row": row.position, "invitation_id": result.invitation_id}
        | (_verdict(result.error) if result.error else {"state": RowState.SENT, "reason": "", "field": ""})
        for row, result in zip(rows, results, strict=True)
    ]
    if verdicts:
        of_row = (ImportRow.sheet_id == sheet_id, ImportRow.position == bindparam("row"))
        session().connection().execute(update(ImportRow.__table__).where(*of_row), verdicts)  # type: ignore[arg-type]


def to_line(row: ImportRow) -> ImportLine:
    return ImportLine(row.email, row.given_name, row.family_name, row.role, tuple(row.workspaces))


def _row(sheet: Import, position: int, line: ImportLine) -> ImportRow:
    row = ImportRow(sheet_id=sheet.id, position=position, is_confirmed=False, invitation_id=None)
    _write(row, line)
    return row


def _write(row: ImportRow, line: ImportLine) -> None:
    row.email, row.given_name, row.family_name = line.email, line.given_name, line.family_name
    row.role, row.workspaces = line.role, list(line.workspaces)


def _validate(principal: Principal, sheet: Import, rows: Sequence[ImportRow], earlier: dict[str, ImportRow]) -> None:
    """Validate rows by themselves and against members, invitations and earlier rows."""
    catalog = CachedLookup(principal.organization.id)
    read = reader(principal, sheet, catalog)
    domains = suggestions.expected_domains(principal)
    built = [_build(principal, row, read, catalog) for row in rows]
    taken = invitations.unavailable(
        principal.organization.id, [item.email for item in built if isinstance(item, Invitation)]
    )
    first = dict(earlier)
    for row, item in zip(rows, built, strict=True):
        row.address = item.email if isinstance(item, Invitation) else ""
        error = item if isinstance(item, DomainError) else taken.get(row.address)
        if error is None and (other := first.get(row.address)) is not None:
            error = DuplicateRow(row.address, other.position)
        first.setdefault(row.address, row)
        guess = None if row.is_confirmed or error else suggestions.suggest_domain(row.address, domains)
        _set_result(row, error, guess)


def _judge_address(principal: Principal, sheet: Import, address: str) -> None:
    query = (
        select(ImportRow)
        .where(ImportRow.sheet_id == sheet.id, ImportRow.address == address, ImportRow.state != RowState.SENT)
        .order_by(ImportRow.position)
    )
    _validate(principal, sheet, list(session().scalars(query)), {})


def _build(
    principal: Principal, row: ImportRow, read: Callable[[ImportRow], invitations.Draft], catalog: CachedLookup
) -> Invitation | DomainError:
    try:
        return invitations.build(principal, read(row), catalog)
    except DomainError as error:
        return error


def _set_result(row: ImportRow, error: DomainError | None, guess: str | None) -> None:
    verdict = _verdict(error) if error else {"state": RowState.READY, "field": "", "reason": ""}
    row.suggestion = ""
    if guess:
        row.suggestion = f"{row.address.rpartition('@')[0]}@{guess}"
        verdict = {"state": RowState.CHECK, "field": "email", "reason": f"One letter off {guess}."}
    for name, value in verdict.items():
        setattr(row, name, value)


def _verdict(error: DomainError) -> dict[str, str]:
    state = RowState.SKIPPED if isinstance(error, NOTHING_TO_SEND) else RowState.FIX
    field = error.field if isinstance(error, InvalidValue) else FIELDS.get(type(error), "email")
    return {"state": state, "field": field, "reason": _reason(error)[:500]}


def _reason(error: DomainError) -> str:
    """Return the error message, with the role of a member or the date of an invitation."""
    match error:
        case AlreadyMember(role=role) if role:
            return f"{str(error).rstrip('.')}, as {role}."
        case InvitationPending(invited_at=since):
            return f"{str(error).rstrip('.')} on {since.day} {since:%B}."
        case _:
            return str(error)
