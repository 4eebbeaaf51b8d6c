"""An organization to look at, with people and invitations in every state."""

from .builder import PASSWORD, fill

__all__ = [
    "PASSWORD",
    "fill",
]
