"""Organizations: created by the operator or through `/setup`, changed by their owners."""

from .actions import UNCHANGED, Changes, change, delete, validate_seat_limit
from .queries import get, is_set_up, list_all, list_for_user, resolve_id
from .setup import NewOrganization, NewOwner, create, create_for_key_owner, set_up
from .slugs import generate_slug

__all__ = [
    "UNCHANGED",
    "Changes",
    "NewOrganization",
    "NewOwner",
    "change",
    "create",
    "create_for_key_owner",
    "delete",
    "generate_slug",
    "get",
    "is_set_up",
    "list_all",
    "list_for_user",
    "resolve_id",
    "set_up",
    "validate_seat_limit",
]
