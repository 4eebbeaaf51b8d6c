"""What lists are searched in: one text per row, and the names of the index that migration 0003 keeps of it.

The index is the database's own affair: triggers (SQLite) or an index over an expression (PostgreSQL) follow every
writer, so no service writes to it. `services.search` asks it.
"""

from functools import cache
from typing import Any

SEARCHED_TEXT = {
    "memberships": "sort_name",
    "invitations": "email || ' ' || given_name || ' ' || family_name",
    "audit_events": "actor_name || ' ' || target_name",
}
"""Table -> the SQL of its text, word for word as in the migration: PostgreSQL finds its index by that."""


def search_folded(text: str) -> str:
    """Each character in the form in which its two cases are equal: what the database's `search_folded` gives."""
    return text if text.isascii() and text.islower() else text.translate(_folds())


@cache
def _folds() -> dict[int, str]:
    """Made when first needed: it takes a tenth of a second."""
    small = ((code, chr(code).casefold()) for code in range(0x20000))
    return {code: other for code, other in small if len(other) == 1 and other != chr(code)}


def is_managed(name: str | None, *_: Any) -> bool:
    """For comparing models with a database: its own parts of the search index are in no model."""
    return not (name or "").startswith("search_")
