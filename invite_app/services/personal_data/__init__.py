"""All data of one person: a copy of it, and its erasure."""

from .copies import export, export_own
from .erasure import erase, erase_own, find_sole_ownerships

__all__ = [
    "erase",
    "erase_own",
    "export",
    "export_own",
    "find_sole_ownerships",
]
