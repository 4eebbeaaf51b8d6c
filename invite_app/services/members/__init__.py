"""Members of an organization: list, add, change and remove them, and transfer its ownership."""

from .actions import add, change, change_metadata, change_role, end_membership, leave, remove
from .bulk_actions import (
    BulkAction,
    BulkResult,
    ChangeRole,
    ChangeWorkspaces,
    Remove,
    Skipped,
    SkipReason,
    apply_bulk,
    preview_bulk,
)
from .filters import Filter, narrowed
from .lists import BY_EMAIL, BY_FAMILY_NAME, BY_NAME, NEWEST, OLDEST, export, list_all, list_page, page_for
from .ownership import accept_transfer, decline_transfer, find_parties, find_transfer, offer_transfer
from .queries import count_owners, get, get_own, memberships_of
from .records import MemberRow, list_rows
from .removal import preview_removal

__all__ = [
    "BY_EMAIL",
    "BY_FAMILY_NAME",
    "BY_NAME",
    "NEWEST",
    "OLDEST",
    "BulkAction",
    "BulkResult",
    "ChangeRole",
    "ChangeWorkspaces",
    "Filter",
    "MemberRow",
    "Remove",
    "SkipReason",
    "Skipped",
    "accept_transfer",
    "add",
    "apply_bulk",
    "change",
    "change_metadata",
    "change_role",
    "count_owners",
    "decline_transfer",
    "end_membership",
    "export",
    "find_parties",
    "find_transfer",
    "get",
    "get_own",
    "leave",
    "list_all",
    "list_page",
    "list_rows",
    "memberships_of",
    "narrowed",
    "offer_transfer",
    "page_for",
    "preview_bulk",
    "preview_removal",
    "remove",
]
