"""Parsing of CSV files with people to invite."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import click

COLUMNS = ("email", "given_name", "family_name", "role", "workspaces")


@dataclass(frozen=True)
class Person:
    """One row; a cell that is empty or has no column is the empty string."""

    row: int
    email: str
    given_name: str
    family_name: str
    role: str
    workspaces: tuple[str, ...]


def read(file: Path) -> Iterator[Person]:
    """Yield the people of a CSV file whose first line names the columns, in any order.

    Workspaces are separated by semicolons, or by bars when semicolons separate the columns. Raise
    click.BadParameter for an unusable file.
    """
    _check_is_text(file)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        head = next(lines, "")
        rows = csv.DictReader(chain([head], lines), delimiter=max(",;\t", key=head.count), restkey="")
        rows.fieldnames = [_column(name) for name in rows.fieldnames or ()]
        _check_columns(rows.fieldnames)
        for number, row in enumerate((row for row in rows if any(row.values())), start=1):
            yield _person(number, row)


def _check_is_text(file: Path) -> None:
    """Decode the whole file, so that an unreadable one is rejected before its first row is used."""
    try:
        with file.open(encoding="utf-8-sig") as lines:
            for _ in lines:
                pass
    except UnicodeDecodeError:
        raise click.BadParameter("This file is not text. Save the sheet as CSV (UTF-8).") from None


def _column(heading: str) -> str:
    return heading.strip().lower().replace(" ", "_")


def _check_columns(names: list[str]) -> None:
    if unknown := [name for name in names if name not in COLUMNS]:
        raise click.BadParameter(f"Unknown column: {', '.join(unknown)}. There are: {', '.join(COLUMNS)}.")
    if "email" not in names:
        raise click.BadParameter("The first line names the columns; 'email' is missing.")


def _person(number: int, row: Mapping[str, str | None]) -> Person:
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    workspaces = cells.pop("workspaces").replace("|", ";").split(";")
    return Person(number, workspaces=tuple(filter(None, map(str.strip, workspaces))), **cells)
