"""API keys: create, list and revoke them, and recognize one in a request."""

from .actions import create, list_all, revoke
from .authentication import check_active, find_organization_id, identify
from .queries import get, list_page

__all__ = [
    "check_active",
    "create",
    "find_organization_id",
    "get",
    "identify",
    "list_all",
    "list_page",
    "revoke",
]
