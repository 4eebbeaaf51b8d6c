"""The audit log of an organization: record an event, list events, export them."""

from .events import SERVER, AuditActor, audit_actor, invitee_actor, new_event, pseudonymize, record
from .queries import Filter, events_of_deleted, export, list_latest, list_page
from .retention import expired_conditions, find_deleted_organizations

__all__ = [
    "SERVER",
    "AuditActor",
    "Filter",
    "audit_actor",
    "events_of_deleted",
    "expired_conditions",
    "export",
    "find_deleted_organizations",
    "invitee_actor",
    "list_latest",
    "list_page",
    "new_event",
    "pseudonymize",
    "record",
]
