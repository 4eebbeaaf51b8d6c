"""The audit log of an organization: record an event, list events, export them."""

from .events import SERVER, Author, author, event, invitee, pseudonymize, record
from .queries import Filter, events_of_deleted, export, latest, list_page
from .retention import expired_conditions, find_deleted_organizations

__all__ = [
    "SERVER",
    "Author",
    "Filter",
    "author",
    "event",
    "events_of_deleted",
    "expired_conditions",
    "export",
    "find_deleted_organizations",
    "invitee",
    "latest",
    "list_page",
    "pseudonymize",
    "record",
]
