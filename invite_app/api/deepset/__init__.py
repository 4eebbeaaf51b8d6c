"""The deepset API, and our own, which extends it in the same style."""

from . import (
    api_keys,
    bulk,
    invitations,
    invitee,
    members,
    organization,
    ownership,
    roles,
    statistics,
    users,
    workspaces,
)
from .dialect import deepset

__all__ = [
    "api_keys",
    "bulk",
    "deepset",
    "invitations",
    "invitee",
    "members",
    "organization",
    "ownership",
    "roles",
    "statistics",
    "users",
    "workspaces",
]
