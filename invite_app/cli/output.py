"""Results of commands, as aligned text for people and as JSON for programs."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

Facts = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """The result of a command: values by name, or rows of them, with sentences for people around them.

    An iterator of rows is streamed as JSON. `ok=False` means that a part of the command failed.
    """

    data: Facts | Iterable[Facts]
    message: str = ""
    hint: str = ""
    ok: bool = True


def show(answer: Result, *, as_json: bool) -> None:
    """Print the result to standard output."""
    if as_json and isinstance(answer.data, Iterator):
        _stream(answer.data)
        return
    if as_json:
        click.echo(json.dumps(answer.data, default=_json_value, ensure_ascii=False, indent=2))
        return
    body = _facts(answer.data) if isinstance(answer.data, dict) else _table(list(answer.data))
    click.echo("\n\n".join(part for part in (answer.message, body, answer.hint) if part))


def _stream(rows: Iterator[Facts]) -> None:
    separator = "[\n"
    for row in rows:
        click.echo(separator + json.dumps(row, default=_json_value, ensure_ascii=False), nl=False)
        separator = ",\n"
    click.echo("[]" if separator == "[\n" else "\n]")


def _facts(facts: Facts) -> str:
    width = max(map(len, facts), default=0) + 2
    return "\n".join(f"  {_label(name):{width}}{_text(value)}" for name, value in facts.items())


def _table(rows: Sequence[Facts]) -> str:
    if not rows:
        return ""
    lines = [[_label(name) for name in rows[0]], *([_text(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: list[str], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _label(name: str) -> str:
    return name.replace("_", " ")


def _text(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, list | dict):
        return f"{len(value):,}"
    return f"{value:%Y-%m-%d %H:%M} UTC" if isinstance(value, datetime) else str(value)


def _json_value(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
