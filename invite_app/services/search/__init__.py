"""Search and filtered lists: search terms, their index, and the plan by which a page of matches is read."""

from .combined_plan import combined_statement
from .filtered_list import Column, Narrow, Source, Test
from .list_plan import CAP, fetch_page, glimpse, limits
from .terms import search_terms, test_of

__all__ = [
    "CAP",
    "Column",
    "Narrow",
    "Source",
    "Test",
    "combined_statement",
    "fetch_page",
    "glimpse",
    "limits",
    "search_terms",
    "test_of",
]
