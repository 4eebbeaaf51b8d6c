"""Search and filtered lists: search terms, the trigram index, and query plans for pages of matches."""

from .combined_plan import combined_statement
from .filtered_list import Column, FilteredList, Source, Test
from .list_plan import COUNT_CAP, count_with_single_match, fetch_page, limits
from .terms import search_terms, test_of

__all__ = [
    "COUNT_CAP",
    "Column",
    "FilteredList",
    "Source",
    "Test",
    "combined_statement",
    "count_with_single_match",
    "fetch_page",
    "limits",
    "search_terms",
    "test_of",
]
