"""API keys: create, list and revoke them, and recognize one in a request."""

from .actions import create, list_all, revoke
from .authentication import confirm, organization_of, recognize
from .queries import get, list_page

__all__ = [
    "confirm",
    "create",
    "get",
    "list_all",
    "list_page",
    "organization_of",
    "recognize",
    "revoke",
]
