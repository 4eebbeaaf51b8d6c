"""Say in words what a role may do."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from invite_app.access import Principal
from invite_app.models import Role
from invite_app.models.roles import PERMISSIONS

CAN = {
    "invitations:read": "see invitations",
    "invitations:write": "invite people",
    "members:read": "see members",
    "members:write": "change members",
    "workspaces:write": "manage workspaces",
    "roles:write": "manage roles",
    "audit:read": "see the audit log",
    "organization:write": "change settings",
    "api_keys:write": "manage API keys",
}
CANNOT = {
    "invitations:write": "inviting people",
    "members:write": "changing members",
    "workspaces:write": "workspaces",
    "roles:write": "roles",
    "audit:read": "audit log",
    "organization:write": "settings",
    "api_keys:write": "API keys",
}


def abilities(permissions: Collection[str]) -> list[str]:
    """Return texts for what the permissions allow; the one to change includes the one to see."""
    implied = {"invitations:read": "invitations:write", "members:read": "members:write"}
    return [words for name, words in CAN.items() if name in permissions and implied.get(name) not in permissions]


def limits(permissions: Collection[str]) -> list[str]:
    """Return texts for what the permissions do not allow."""
    return [words for name, words in CANNOT.items() if name not in permissions]


def role_summary(permissions: Collection[str]) -> str:
    """One line on what a role can do."""
    if set(permissions) >= set(PERMISSIONS):
        return "can do everything"
    return join_words(abilities(permissions)) or "can sign in, and nothing else"


def role_lines(roles: Iterable[Role], principal: Principal) -> list[tuple[str, str]]:
    """The name of each role that may be granted, with its line."""
    return [(role.name, role_summary(role.permissions)) for role in roles if principal.can_grant(role)]


def list_permissions(permissions: Iterable[str]) -> str:
    return join_words([CAN[name] for name in permissions])


def join_words(words: list[str]) -> str:
    """'a, b and c'."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


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
LABELS = {name: CAN[name][0].upper() + CAN[name][1:] for name in HINTS}
ABOVE_OWN = "You cannot give this: your own role does not have it."
