"""Search terms, which must all occur in a row's text, in any case.

A term of three or more characters matches anywhere; a shorter one only at the start of a word.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, String, bindparam, func, literal, literal_column
from sqlalchemy.orm import InstrumentedAttribute

from invite_app.db import is_sqlite
from invite_app.extensions import db
from invite_app.models import Membership
from invite_app.models.search import search_folded
from invite_app.models.types import casefolded as folded_name
from invite_app.services import validation

from . import index
from .filtered_list import Test
from .index import TRIGRAM, Searched

Text = ColumnElement[str] | InstrumentedAttribute[str]


@dataclass(frozen=True)
class SearchTerms:
    """The terms of a search in one table."""

    table: Searched
    words: tuple[str, ...]

    def test(self, organization_id: UUID, column: Text | None = None) -> Test:
        """Return the test that all terms occur in the row's text, or in `column`."""
        text = index.searched_text(self.table) if column is None else column
        patterns = [literal(pattern) for pattern in self._patterns]
        words = [Term(len(word) < TRIGRAM, self._has_to_be_folded(word)) for word in self.words]
        near = index.candidate_ids(self.table, organization_id, self._keys)
        return Test(text, partial(_match, words, patterns), near)

    @property
    def values(self) -> dict[str, Any]:
        """Return the values of the parameters of `test_of`."""
        patterns = {f"pattern_{number}": pattern for number, pattern in enumerate(self._patterns)}
        return {"keys": self._keys, **patterns}

    def _has_to_be_folded(self, word: str) -> bool:
        """Return whether to case-fold the text for this term. SQLite's LIKE ignores the case of ASCII by itself."""
        return self.table is not Membership and not (word.isascii() and is_sqlite(db.engine))

    @property
    def _patterns(self) -> list[str]:
        return [f"%{_escaped(word if len(word) >= TRIGRAM else f' {word}')}%" for word in self.words]

    @property
    def _keys(self) -> list[str]:
        return [key for word in self.words for key in index.keys(word)]


class Term(NamedTuple):
    """The form of a term's condition, independent of the term."""

    is_short: bool
    is_folded: bool


def test_of(table: Searched, number: int) -> Test:
    """Return a parameterized test for this number of terms, with `organization_id` and `SearchTerms.values`.

    Every term gets the condition of a short one, whose pattern also works for long ones.
    """
    patterns = [bindparam(f"pattern_{place}", type_=String) for place in range(number)]
    words = [Term(is_short=True, is_folded=table is not Membership)] * number
    return Test(
        index.searched_text(table), partial(_match, words, patterns), index.parameterized_candidate_ids(table)
    )


def _match(words: Sequence[Term], patterns: Sequence[ColumnElement[str]], text: Text) -> list[ColumnElement[bool]]:
    """Return the conditions that all terms occur in the text."""
    return [_contains(word, pattern, text) for word, pattern in zip(words, patterns, strict=True)]


def _contains(word: Term, pattern: ColumnElement[str], text: Text) -> ColumnElement[bool]:
    folded_text = func.search_folded(text) if word.is_folded else text
    return (literal_column("' '").concat(folded_text) if word.is_short else folded_text).like(pattern, escape="/")


def _escaped(word: str) -> str:
    """Escape the wildcards of LIKE."""
    return re.sub("[%_/]", r"/\g<0>", word)


def search_terms(table: Searched, fragment: str) -> SearchTerms | None:
    """Split a search into terms; return None when there are none."""
    fold = folded_name if table is Membership else search_folded
    # Folded before it is split: folding an accent can produce a space.
    terms = tuple(validation.words(fold(fragment[: validation.MAX_SEARCH])))
    return SearchTerms(table, terms) if terms else None
