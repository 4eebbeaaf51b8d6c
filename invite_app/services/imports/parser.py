"""Parse and format lists of people, as exported by spreadsheets and mail programs."""

import csv
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from invite_app.errors import EmptyImport, TooManyRows, UnreadableImport

MAX_ROWS = 10_000
COLUMNS = ("email", "given_name", "family_name", "role", "workspaces")
COLUMN_ALIASES = {
    "email": "email",
    "e-mail": "email",
    "mail": "email",
    "address": "email",
    "email address": "email",
    "given name": "given_name",
    "first name": "given_name",
    "family name": "family_name",
    "last name": "family_name",
    "surname": "family_name",
    "role": "role",
    "workspaces": "workspaces",
    "workspace": "workspaces",
}
MAX_CELL = 500


@dataclass(frozen=True)
class ImportLine:
    """The cells of one person as written; missing cells are empty."""

    email: str = ""
    given_name: str = ""
    family_name: str = ""
    role: str = ""
    workspaces: tuple[str, ...] = ()


def decode(data: bytes) -> str:
    """Decode a text file. Raises UnreadableImport for binary files such as XLSX, PDF or PNG."""
    for encoding in ("utf-8-sig", "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text and not data.startswith((b"PK\x03\x04", b"%PDF", b"\x89PNG")):
            return text
    raise UnreadableImport


def parse(text: str, *, limit: int | None = MAX_ROWS) -> list[ImportLine]:
    """Parse a list with one person per line, separated by commas, semicolons or tabs; a header sets the columns.

    Workspaces are separated by semicolons, or by bars where semicolons separate the columns. Raises EmptyImport,
    UnreadableImport and TooManyRows.
    """
    lines = text.lstrip("\ufeff").splitlines()
    try:
        found = filter(_is_filled, csv.reader(lines, delimiter=_delimiter(lines), strict=False))
        rows = list(islice(found, None if limit is None else limit + 2))  # a header, and one too many
        others = sum(1 for _ in found)  # counted without storing them: there can be millions
    except csv.Error:
        raise UnreadableImport from None
    columns, rows = _columns(rows)
    if not rows:
        raise EmptyImport
    if limit is not None and len(rows) + others > limit:
        raise TooManyRows(len(rows) + others, limit)
    return [_line(columns, row) for row in rows]


def with_cells(line: ImportLine, cells: Mapping[str, str]) -> ImportLine:
    """Return the line with some cells replaced; unknown columns are ignored."""
    kept: dict[str, Any] = {name: clean_cell(cell) for name, cell in cells.items() if name in COLUMNS}
    if "workspaces" in kept:
        kept["workspaces"] = _names(kept["workspaces"])
    return replace(line, **kept)


def clean_cell(cell: str) -> str:
    """Remove characters that the database cannot store, and cut the cell; validation reports anything else."""
    kept = "".join(char for char in cell if unicodedata.category(char) != "Cs" and char != "\0")
    return kept.strip()[:MAX_CELL]


def format_rows(lines: Sequence[ImportLine]) -> Iterator[list[str]]:
    """Yield the rows of a CSV file, header first, in a format that `parse` accepts."""
    yield list(COLUMNS)
    for line in lines:
        yield [line.email, line.given_name, line.family_name, line.role, "; ".join(line.workspaces)]


def _is_filled(row: Sequence[str]) -> bool:
    return any(map(str.strip, row))


def _delimiter(lines: Sequence[str]) -> str:
    head = next((line for line in lines if line.strip()), "")
    return max(",;\t", key=head.count)


def _columns(rows: list[list[str]]) -> tuple[Sequence[str], list[list[str]]]:
    if not rows:
        return COLUMNS, rows
    heading = [COLUMN_ALIASES.get(cell.strip().lower().replace("_", " "), "") for cell in rows[0]]
    is_header = "email" in heading and not any("@" in cell for cell in rows[0])
    return (heading, rows[1:]) if is_header else (COLUMNS, rows)


def _line(columns: Sequence[str], row: Sequence[str]) -> ImportLine:
    cells = {name: cell for name, cell in zip(columns, row, strict=False) if name}
    return with_cells(ImportLine(), cells)


def _names(cell: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in cell.replace("|", ";").split(";") if name.strip())
