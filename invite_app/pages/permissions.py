"""Permissions as the pages that hand them out name them, in their groups."""

from dataclasses import dataclass

from . import words


@dataclass(frozen=True)
class Group:
    """Permissions that concern the same things, each with a line on what it covers."""

    name: str
    permissions: dict[str, str]

    @property
    def id(self) -> str:
        return f"group-{self.name.lower()}"


GROUPS = (
    Group(
        "People",
        {
            "members:read": "Names, roles and workspaces.",
            "members:write": "Role, workspaces, removal.",
            "invitations:read": "Who is invited and why they are not in yet.",
            "invitations:write": "Send, edit, send again, revoke, copy links.",
        },
    ),
    Group(
        "Structure",
        {
            "workspaces:write": "Create, rename, delete.",
            "roles:write": "Create and change roles like this one.",
        },
    ),
    Group(
        "Organization",
        {
            "audit:read": "Who did what, and when.",
            "organization:write": "Name, domains, seats, invitation lifetime.",
            "api_keys:write": "Create and revoke keys for programs.",
        },
    ),
)

HINTS = {name: hint for group in GROUPS for name, hint in group.permissions.items()}
LABELS = {name: words.MAY[name][0].upper() + words.MAY[name][1:] for name in HINTS}
ABOVE_OWN = "You cannot give this: your own role does not have it."
