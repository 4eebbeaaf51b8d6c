"""Lists as CSV files that a spreadsheet can open without harm."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from flask import Response, stream_with_context

# Some spreadsheets need it to recognize UTF-8.
BYTE_ORDER_MARK = "\ufeff"

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(cell: object) -> str:
    """The text of a cell; what a spreadsheet would calculate gets a quote in front and stays text."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def download(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """The rows as a file of this name, sent as they come."""
    answer = Response(stream_with_context(_lines(head, rows)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _lines(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield BYTE_ORDER_MARK + _line(head)
    for row in rows:
        yield _line(row)


def _line(row: Sequence[object]) -> str:
    text = StringIO()
    csv.writer(text).writerow([safe(cell) for cell in row])
    return text.getvalue()
