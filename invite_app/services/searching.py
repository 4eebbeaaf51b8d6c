"""Finding rows by fragments: words that all have to occur in a row's text, in any case.

A word of three characters and more may stand anywhere; a shorter one begins a name or the address.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    TextualSelect,
    Uuid,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    text,
)
from sqlalchemy.orm import InstrumentedAttribute

from invite_app.db import is_embedded
from invite_app.extensions import db
from invite_app.models import Invitation, Membership
from invite_app.models.audit import AuditEvent
from invite_app.models.base import folded as folded_name
from invite_app.models.search import TEXTS, folded

from . import values
from .narrow import Test

Searched = type[Membership] | type[Invitation] | type[AuditEvent]
Text = ColumnElement[str] | InstrumentedAttribute[str]
ANYWHERE = 3
"""The index knows three characters in a row."""
TELLING = 12
"""So many characters tell people apart. To find all of an address, the index would read the many rows that share the
rest of it: a search took twice as long at a million (SQLite). Each is asked for once, not in all the threes that it is
in, which takes half as long (both databases)."""


@dataclass(frozen=True)
class Words:
    """What is looked for in one table."""

    table: Searched
    words: tuple[str, ...]

    def test(self, organization_id: UUID, column: Text | None = None) -> Test:
        """That all words occur in a row's text, or in one column of it."""
        text = literal_column(_qualified(self.table), String) if column is None else column
        return Test(text, self.match, self.nearby(organization_id))

    def match(self, text: Text) -> list[ColumnElement[bool]]:
        """That all words occur in a text."""
        return [self._occurs(word, text) for word in self.words]

    def nearby(self, organization_id: UUID) -> Select[Any] | TextualSelect:
        """The ids of all rows of an organization that match, and of some that do not, from the index."""
        keys = [key for word in self.words for key in _keys(word)]
        name = self.table.__tablename__
        if is_embedded(db.engine):
            return _embedded(name, organization_id, keys)
        document: ColumnElement[Any] = literal_column(
            f"search_document({name}.organization_id, {_qualified(self.table)})"
        )
        wanted = [func.search_keys(literal(organization_id, Uuid), key) for key in keys]
        return select(self.table.id).where(*(document.op("@>")(one) for one in wanted))

    def _occurs(self, word: str, text: Text) -> ColumnElement[bool]:
        if not self._is_folded and not (word.isascii() and is_embedded(db.engine)):
            text = func.search_folded(text)  # which SQLite need not for ASCII: its LIKE knows no case there
        if len(word) < ANYWHERE:
            return literal_column("' '").concat(text).contains(f" {word}", autoescape=True)
        return text.contains(word, autoescape=True)

    @property
    def _is_folded(self) -> bool:
        return self.table is Membership


def words(table: Searched, fragment: str) -> Words | None:
    """None when nothing is looked for."""
    fold = folded_name if table is Membership else folded
    found = tuple(filter(None, map(fold, values.words(fragment))))
    return Words(table, found) if found else None


def _keys(word: str) -> list[str]:
    """What the index is asked for: the characters, three by three, of the part of a word that says most."""
    part = _telling(word)
    keys = [part[start : start + ANYWHERE] for start in range(0, len(part) - ANYWHERE + 1, ANYWHERE)]
    return keys if len(part) % ANYWHERE == 0 else [*keys, part[-ANYWHERE:]]


def _telling(word: str) -> str:
    """Of a long word the part that tells most, which is what stands before the @."""
    if len(word) < ANYWHERE:
        return word.rjust(ANYWHERE)
    name = word.rpartition("@")[0]
    return name[-TELLING:] if len(name) >= ANYWHERE else word[:TELLING]


def _qualified(table: Searched) -> str:
    name = table.__tablename__
    return " || ".join(part if part.startswith("'") else f"{name}.{part}" for part in TEXTS[name].split(" || "))


def _embedded(name: str, organization_id: UUID, keys: list[str]) -> TextualSelect:
    """From the range of numbers that the organization has in the index, and in the list of what is not yet in it."""
    within = "BETWEEN (SELECT number << 32 FROM search_places WHERE organization_id = :search_organization)"
    within += " AND (SELECT (number + 1) << 32 FROM search_places WHERE organization_id = :search_organization)"
    found = text(
        f"SELECT numbered.row_id AS id FROM search_{name} AS found"  # noqa: S608 - names of ours, values are bound
        f" CROSS JOIN search_{name}_rows AS numbered ON numbered.number = found.rowid"
        f" WHERE found.text MATCH :search_keys AND found.rowid {within}"
        f" UNION ALL SELECT numbered.row_id FROM search_{name}_waiting AS waiting"
        f" CROSS JOIN search_{name}_rows AS numbered ON numbered.number = waiting.number"
        f" WHERE waiting.number {within}"
    )
    phrases = " ".join('"{}"'.format(key.replace('"', '""')) for key in keys)
    bound = found.bindparams(
        bindparam("search_keys", phrases, unique=True),  # two searches can stand in one statement
        bindparam("search_organization", organization_id.hex, unique=True),
    )
    return bound.columns(id=Uuid())
