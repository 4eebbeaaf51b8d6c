"""Workspaces of an organization."""

from .actions import create, delete, rename
from .queries import get_by_name, get_many, get_with_use, list_all, list_with_use, select_in_order

__all__ = [
    "create",
    "delete",
    "get_by_name",
    "get_many",
    "get_with_use",
    "list_all",
    "list_with_use",
    "rename",
    "select_in_order",
]
