"""Pages of members: the list, one member, removal, ownership, and actions on many."""

from . import (  # noqa: F401 - importing a module adds its views to the blueprint
    bulk,
    detail,
    leave,
    list_page,
    ownership,
    removal,
)
