"""Rate limits, shared through Redis when configured, else counted per process."""

from .limits import check, hit, network, note, register

__all__ = [
    "check",
    "hit",
    "network",
    "note",
    "register",
]
