"""Imports: lists of people, checked and corrected before they are invited as one batch."""

from .actions import (
    LIFETIME,
    PAGE,
    ImportSummary,
    Row,
    create,
    delete,
    list_rows,
    send,
    summarize,
    unsent_rows,
    update_cells,
)
from .batches import MAX_ROWS, RowResult, batch_progress, dry_run, dry_run_each, send_batch
from .cancellation import count_waiting, stop
from .parser import COLUMNS, decode, format_rows, parse
from .progress import get_progress, list_failed, retry_failed

__all__ = [
    "COLUMNS",
    "LIFETIME",
    "MAX_ROWS",
    "PAGE",
    "ImportSummary",
    "Row",
    "RowResult",
    "batch_progress",
    "count_waiting",
    "create",
    "decode",
    "delete",
    "dry_run",
    "dry_run_each",
    "format_rows",
    "get_progress",
    "list_failed",
    "list_rows",
    "parse",
    "retry_failed",
    "send",
    "send_batch",
    "stop",
    "summarize",
    "unsent_rows",
    "update_cells",
]
