"""Finding rows by fragments: words that all have to occur in a row's text, in any case.

A word of three characters and more may stand anywhere; a shorter one begins a name or the address.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, String, bindparam, func, literal, literal_column
from sqlalchemy.orm import InstrumentedAttribute

from invite_app.db import is_embedded
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
    """What is looked for in one table."""

    table: Searched
    words: tuple[str, ...]

    def test(self, organization_id: UUID, column: Text | None = None) -> Test:
        """That all words occur in a row's text, or in one column of it."""
        text = index.searched_text(self.table) if column is None else column
        patterns = [literal(pattern) for pattern in self._patterns]
        words = [Term(len(word) < TRIGRAM, self._has_to_be_folded(word)) for word in self.words]
        near = index.candidate_ids(self.table, organization_id, self._keys)
        return Test(text, partial(_match, words, patterns), near)

    @property
    def values(self) -> dict[str, Any]:
        """What the parameters of `test_of` stand for."""
        patterns = {f"pattern_{number}": pattern for number, pattern in enumerate(self._patterns)}
        return {"keys": self._keys, **patterns}

    def _has_to_be_folded(self, word: str) -> bool:
        """Whether the text beside it has to be; SQLite need not for ASCII: its LIKE knows no case there."""
        return self.table is not Membership and not (word.isascii() and is_embedded(db.engine))

    @property
    def _patterns(self) -> list[str]:
        return [f"%{_escaped(word if len(word) >= TRIGRAM else f' {word}')}%" for word in self.words]

    @property
    def _keys(self) -> list[str]:
        return [key for word in self.words for key in index.keys(word)]


class Term(NamedTuple):
    """What the condition for a word looks like, whatever the word is."""

    is_short: bool
    is_folded: bool


def test_of(table: Searched, number: int) -> Test:
    """The test of any words of this number: `organization_id` and those of `Words.values` are its parameters.

    All are looked for as short ones are, which finds long ones as well.
    """
    patterns = [bindparam(f"pattern_{place}", type_=String) for place in range(number)]
    words = [Term(is_short=True, is_folded=table is not Membership)] * number
    return Test(
        index.searched_text(table), partial(_match, words, patterns), index.parameterized_candidate_ids(table)
    )


def _match(words: Sequence[Term], patterns: Sequence[ColumnElement[str]], text: Text) -> list[ColumnElement[bool]]:
    """That all words occur in a text."""
    return [_contains(word, pattern, text) for word, pattern in zip(words, patterns, strict=True)]


def _contains(word: Term, pattern: ColumnElement[str], text: Text) -> ColumnElement[bool]:
    folded_text = func.search_folded(text) if word.is_folded else text
    return (literal_column("' '").concat(folded_text) if word.is_short else folded_text).like(pattern, escape="/")


def _escaped(word: str) -> str:
    """So that no character of it stands for others."""
    return re.sub("[%_/]", r"/\g<0>", word)


def search_terms(table: Searched, fragment: str) -> SearchTerms | None:
    """None when nothing is looked for."""
    fold = folded_name if table is Membership else search_folded
    found = tuple(
        validation.words(fold(fragment[: validation.MAX_SEARCH]))
    )  # a folded accent can stand behind a space
    return SearchTerms(table, found) if found else None
