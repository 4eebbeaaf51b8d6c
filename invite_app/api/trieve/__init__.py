"""The part of the Trieve API that is about invitations and members."""

from . import invitations, organizations, users
from .dialect import trieve

__all__ = ["invitations", "organizations", "trieve", "users"]
