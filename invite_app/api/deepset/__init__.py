"""The deepset API, and our own, which extends it in the same style."""

from . import (
    api_keys,
    bulk,
    insight,
    invitations,
    invitee,
    members,
    organization,
    ownership,
    roles,
    users,
    workspaces,
)
from .dialect import deepset

__all__ = [
    "api_keys",
    "bulk",
    "deepset",
    "insight",
    "invitations",
    "invitee",
    "members",
    "organization",
    "ownership",
    "roles",
    "users",
    "workspaces",
]
