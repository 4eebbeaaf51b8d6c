"""The deepset API, and our own, which extends it in the same style."""

from . import invitations, users
from .dialect import deepset

__all__ = ["deepset", "invitations", "users"]
