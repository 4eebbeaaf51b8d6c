"""The search text of each table, and the names of the search index from migration 0003.

The database maintains the index with triggers (SQLite) or as an expression index (PostgreSQL), so no service writes
to it. `services.search` queries it.
"""

from functools import cache
from typing import Any

# SQL of the search text per table, identical to the migration: PostgreSQL matches the index by expression.
SEARCHED_TEXT = {
    "memberships": "sort_name",
    "invitations": "email || ' ' || given_name || ' ' || family_name",
    "audit_events": "actor_name || ' ' || target_name",
}


def search_folded(text: str) -> str:
    """Each character in the form in which its two cases are equal: what the database's `search_folded` gives."""
    return text if text.isascii() and text.islower() else text.translate(_folds())


@cache
def _folds() -> dict[int, str]:
    """Made when first needed: it takes a tenth of a second."""
    small = ((code, chr(code).casefold()) for code in range(0x20000))
    return {code: other for code, other in small if len(other) == 1 and other != chr(code)}


def is_managed(name: str | None, *_: Any) -> bool:
    """Check if a table belongs to the models; the tables of the search index do not."""
    return not (name or "").startswith("search_")
