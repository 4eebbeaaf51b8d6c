"""Imports: lists of people, checked and corrected before they are invited as one batch."""

from .actions import (
    LIFETIME,
    PAGE,
    Row,
    Summary,
    create,
    delete_sheet,
    leftovers,
    list_rows,
    mend_row,
    send,
    summarize,
)
from .batches import MAX_ROWS, RowResult, batch_progress, dry_run, dry_run_each, send_batch
from .cancellation import count_waiting, stop
from .parser import COLUMNS, decode, format_rows, parse
from .progress import get_progress, list_failed, try_again

__all__ = [
    "COLUMNS",
    "LIFETIME",
    "MAX_ROWS",
    "PAGE",
    "Row",
    "RowResult",
    "Summary",
    "batch_progress",
    "count_waiting",
    "create",
    "decode",
    "delete_sheet",
    "dry_run",
    "dry_run_each",
    "format_rows",
    "get_progress",
    "leftovers",
    "list_failed",
    "list_rows",
    "mend_row",
    "parse",
    "send",
    "send_batch",
    "stop",
    "summarize",
    "try_again",
]
