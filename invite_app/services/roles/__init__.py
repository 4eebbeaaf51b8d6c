"""Roles of an organization: the built-in ones and its own."""

from .actions import add_built_in, create, delete, update_role
from .queries import (
    BY_KEY,
    BY_NAME,
    NEWEST,
    RoleUse,
    get,
    get_with_use,
    ids_named,
    list_all,
    list_page,
    list_with_use,
    lookup_keys,
)

__all__ = [
    "BY_KEY",
    "BY_NAME",
    "NEWEST",
    "RoleUse",
    "add_built_in",
    "create",
    "delete",
    "get",
    "get_with_use",
    "ids_named",
    "list_all",
    "list_page",
    "list_with_use",
    "lookup_keys",
    "update_role",
]
