"""Clerk's Backend API: memberships, invitations and roles of one organization."""

from . import invitations, memberships, organizations
from .dialect import clerk

__all__ = ["clerk", "invitations", "memberships", "organizations"]
