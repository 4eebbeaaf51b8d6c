"""Pages of invitations: the list, one invitation, inviting, and actions on many."""

from . import (  # noqa: F401 - importing a module adds its views to the blueprint
    bulk,
    create,
    detail,
    edit,
    list_page,
    resend,
)
from .status import why
from .timeline_texts import latest_event

__all__ = [
    "latest_event",
    "why",
]
