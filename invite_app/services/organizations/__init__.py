"""Organizations: created by the operator or through `/setup`, changed by their owners."""

from .actions import KEEP, Changes, change, checked_seat_limit, delete
from .queries import get, id_of, is_set_up, list_all, list_of
from .setup import Founder, Founding, found, found_another, set_up
from .slugs import generate_slug

__all__ = [
    "KEEP",
    "Changes",
    "Founder",
    "Founding",
    "change",
    "checked_seat_limit",
    "delete",
    "found",
    "found_another",
    "generate_slug",
    "get",
    "id_of",
    "is_set_up",
    "list_all",
    "list_of",
    "set_up",
]
