"""The part of the Almanac API that is about organizations, their members and who is invited."""

from . import invitations, members, organizations
from .dialect import almanac

__all__ = ["almanac", "invitations", "members", "organizations"]
