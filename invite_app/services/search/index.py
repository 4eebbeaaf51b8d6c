"""Query the search index for candidate rows; callers filter out false matches."""

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

from invite_app.db import is_sqlite
from invite_app.extensions import db
from invite_app.models import Invitation, Membership
from invite_app.models.audit import AuditEvent
from invite_app.models.search import SEARCHED_TEXT

from .filtered_list import Source

Searched = type[Membership] | type[Invitation] | type[AuditEvent]
# Length of the character sequences in the index.
TRIGRAM = 3
# Characters of a term to look up. These suffice to tell people apart; the rest of an address, such as its domain, is
# shared by many rows, and reading their index entries is slow.
MAX_SELECTIVE = 12


class _Keys(TypeDecorator[list[str]]):
    """Trigrams to look up: a list for PostgreSQL, a query of phrases that must all match for FTS5."""

    impl = String
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        return _fts_query if dialect.name == "sqlite" else None


def keys(word: str) -> list[str]:
    """Return the trigrams to look up for a term, taken from its most selective part.

    They overlap as little as possible: fewer lookups are faster, and false matches are filtered out later.
    """
    part = _selective_part(word)
    trigrams = [part[start : start + TRIGRAM] for start in range(0, len(part) - TRIGRAM + 1, TRIGRAM)]
    return trigrams if len(part) % TRIGRAM == 0 else [*trigrams, part[-TRIGRAM:]]


def candidate_ids(table: Searched, organization_id: UUID, keys: list[str]) -> Source:
    """Select the ids of an organization's rows that contain these trigrams, and possibly of others."""
    if is_sqlite(db.engine):  # unique: one statement can contain two searches
        here = bindparam("organization_id", organization_id, Uuid(), unique=True)
        return _sqlite_candidates(table, here, bindparam("keys", keys, _Keys(), unique=True))
    wanted = [func.search_keys(literal(organization_id, Uuid), key) for key in keys]
    return select(table.id).where(*(_document(table).op("@>")(key) for key in wanted))


def parameterized_candidate_ids(table: Searched) -> Source:
    """Return `candidate_ids` with the bound parameters `organization_id` and `keys`."""
    here, wanted = bindparam("organization_id", type_=Uuid()), bindparam("keys", type_=_Keys())
    if is_sqlite(db.engine):
        return _sqlite_candidates(table, here, wanted)
    # A condition for each key would need a new query plan for every number of keys.
    every = (
        "SELECT array_agg(one) FROM unnest(CAST(:keys AS text[])) AS key, search_keys(:organization_id, key) AS keys"
    )
    every += ", unnest(keys) AS one"
    return select(table.id).where(_document(table).op("@>")(text(f"({every})").bindparams(here, wanted)))


def searched_text(table: Searched) -> ColumnElement[str]:
    """Return the text of a row that is searched."""
    return literal_column(_qualified(table), String)


def _document(table: Searched) -> ColumnElement[Any]:
    return literal_column(f"search_document({table.__tablename__}.organization_id, {_qualified(table)})")


def _qualified(table: Searched) -> str:
    name = table.__tablename__
    return " || ".join(
        part if part.startswith("'") else f"{name}.{part}" for part in SEARCHED_TEXT[name].split(" || ")
    )


def _sqlite_candidates(table: Searched, here: BindParameter[UUID], keys: BindParameter[list[str]]) -> TextualSelect:
    """Search the organization's range of row numbers in the FTS5 index, and add its rows waiting to be indexed."""
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
    """Return the most selective part of a long term: of an address, the end of the part before the @."""
    if len(word) < TRIGRAM:
        return word.rjust(TRIGRAM)
    name = word.rpartition("@")[0]
    return name[-MAX_SELECTIVE:] if len(name) >= TRIGRAM else word[:MAX_SELECTIVE]


def _fts_query(keys: list[str]) -> str:
    return " ".join('"{}"'.format(key.replace('"', '""')) for key in keys)
