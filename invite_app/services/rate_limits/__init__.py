"""Rate limits, shared through Redis when configured, else counted per process."""

from .limits import check, count, network, note, register

__all__ = [
    "check",
    "count",
    "network",
    "note",
    "register",
]
