"""Asking the index of migration 0003: which rows of an organization may match, of which some do not."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Dialect,
    String,
    TextualSelect,
    TypeDecorator,
    Uuid,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    text,
)

from invite_app.db import is_embedded
from invite_app.extensions import db
from invite_app.models import Invitation, Membership
from invite_app.models.audit import AuditEvent
from invite_app.models.search import SEARCHED_TEXT

from .filtered_list import Source

Searched = type[Membership] | type[Invitation] | type[AuditEvent]
TRIGRAM = 3
"""The index knows three characters in a row."""
MAX_SELECTIVE = 12
"""So many characters tell people apart. To find all of an address, the index would read the many rows that share the
rest of it: a search took twice as long at a million (SQLite). Each is asked for once, not in each three that it is
in, which takes half as long (both databases)."""


class _Keys(TypeDecorator[list[str]]):
    """What the index is asked for: a list for PostgreSQL, phrases that all have to match for FTS5."""

    impl = String
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        return _fts_query if dialect.name == "sqlite" else None


def keys(word: str) -> list[str]:
    """What the index is asked for: the characters, three by three, of the part of a word that says most."""
    part = _selective_part(word)
    found = [part[start : start + TRIGRAM] for start in range(0, len(part) - TRIGRAM + 1, TRIGRAM)]
    return found if len(part) % TRIGRAM == 0 else [*found, part[-TRIGRAM:]]


def candidate_ids(table: Searched, organization_id: UUID, keys: list[str]) -> Source:
    """The ids of all rows of an organization that have these keys, and perhaps of others."""
    if is_embedded(db.engine):  # two searches can stand in one statement
        here = bindparam("organization_id", organization_id, Uuid(), unique=True)
        return _sqlite_candidates(table, here, bindparam("keys", keys, _Keys(), unique=True))
    wanted = [func.search_keys(literal(organization_id, Uuid), key) for key in keys]
    return select(table.id).where(*(_document(table).op("@>")(one) for one in wanted))


def parameterized_candidate_ids(table: Searched) -> Source:
    """The same with the parameters `organization_id` and `keys`."""
    here, wanted = bindparam("organization_id", type_=Uuid()), bindparam("keys", type_=_Keys())
    if is_embedded(db.engine):
        return _sqlite_candidates(table, here, wanted)
    # Not key by key, of which the database would have to make a new plan for every search.
    every = (
        "SELECT array_agg(one) FROM unnest(CAST(:keys AS text[])) AS key, search_keys(:organization_id, key) AS keys"
    )
    every += ", unnest(keys) AS one"
    return select(table.id).where(_document(table).op("@>")(text(f"({every})").bindparams(here, wanted)))


def searched_text(table: Searched) -> ColumnElement[str]:
    """What is searched of a row."""
    return literal_column(_qualified(table), String)


def _document(table: Searched) -> ColumnElement[Any]:
    return literal_column(f"search_document({table.__tablename__}.organization_id, {_qualified(table)})")


def _qualified(table: Searched) -> str:
    name = table.__tablename__
    return " || ".join(
        part if part.startswith("'") else f"{name}.{part}" for part in SEARCHED_TEXT[name].split(" || ")
    )


def _sqlite_candidates(table: Searched, here: BindParameter[UUID], keys: BindParameter[list[str]]) -> TextualSelect:
    """From the range of numbers that the organization has in the index, and in the list of what is not yet in it."""
    name = table.__tablename__
    within = "BETWEEN (SELECT number << 32 FROM search_places WHERE organization_id = :organization_id)"
    within += " AND (SELECT (number + 1) << 32 FROM search_places WHERE organization_id = :organization_id)"
    found = text(
        f"SELECT numbered.row_id AS id FROM search_{name} AS found"  # noqa: S608 - names of ours, values are bound
        f" CROSS JOIN search_{name}_rows AS numbered ON numbered.number = found.rowid"
        f" WHERE found.text MATCH :keys AND found.rowid {within}"
        f" UNION ALL SELECT numbered.row_id FROM search_{name}_waiting AS waiting"
        f" CROSS JOIN search_{name}_rows AS numbered ON numbered.number = waiting.number"
        f" WHERE waiting.number {within}"
    )
    return found.bindparams(here, keys).columns(id=Uuid())


def _selective_part(word: str) -> str:
    """Of a long word the part that tells most, which is what stands before the @."""
    if len(word) < TRIGRAM:
        return word.rjust(TRIGRAM)
    name = word.rpartition("@")[0]
    return name[-MAX_SELECTIVE:] if len(name) >= TRIGRAM else word[:MAX_SELECTIVE]


def _fts_query(keys: list[str]) -> str:
    return " ".join('"{}"'.format(key.replace('"', '""')) for key in keys)
