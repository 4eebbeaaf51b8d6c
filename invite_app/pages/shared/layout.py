"""The layout of every page: navigation, organizations, account menu and theme."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from invite_app.access import Principal
from invite_app.mail.transport import transport
from invite_app.services import invitations, organizations

from . import dates

THEMES = ("light", "dark")


@dataclass(frozen=True)
class NavigationItem:
    """A line of the navigation; it needs a permission, and a page that exists."""

    key: str
    label: str
    icon: str
    needs: str | None = None
    only_local_mail: bool = False

    @property
    def endpoint(self) -> str:
        return f"pages.{self.key}"

    def is_for(self, principal: Principal) -> bool:
        return (
            has_endpoint(self.endpoint)
            and (self.needs is None or principal.can(self.needs))
            and (not self.only_local_mail or transport().is_local)
        )


@dataclass(frozen=True)
class NavigationGroup:
    label: str
    entries: tuple[NavigationItem, ...] = field(default=())


NAVIGATION = (
    NavigationGroup(
        "",
        (
            NavigationItem("overview", "Overview", "layout-dashboard"),
            NavigationItem("members", "Members", "users", "members:read"),
            NavigationItem("invitations", "Invitations", "mail", "invitations:read"),
            NavigationItem("workspaces", "Workspaces", "folders"),
            NavigationItem("roles", "Roles", "shield-check", "roles:write"),
        ),
    ),
    NavigationGroup(
        "Organization",
        (
            NavigationItem("api_keys", "API keys", "key", "api_keys:write"),
            NavigationItem("audit", "Audit log", "list-details", "audit:read"),
            NavigationItem("outbox", "Outbox", "mail-opened", "invitations:write", only_local_mail=True),
            NavigationItem("settings", "Settings", "settings", "organization:write"),
        ),
    ),
)


def register(app: Flask) -> None:
    app.add_template_global(has_endpoint)
    app.add_template_filter(relative_url)


def render_page(template: str, *, status: int = 200, **values: Any) -> ResponseReturnValue:
    """The page in its frame. Inside an organization that is the frame of the organization."""
    values.setdefault("theme", theme())
    values.setdefault("zone", getattr(dates.zone(), "key", "UTC"))
    values.setdefault("is_outbox_local", transport().is_local)
    if current_user.is_authenticated:
        values.setdefault("person", current_user.user)
    if principal := g.get("principal"):
        values = {**_layout_values(principal), **values}
    return render_template(template, **values), status


def theme() -> str:
    """The appearance this browser has chosen; empty when the device decides."""
    chosen = request.cookies.get("theme", "")
    return chosen if chosen in THEMES else ""


def has_endpoint(name: str) -> bool:
    return name in current_app.view_functions


def relative_url(address: str) -> str:
    """The address without the folder it shares with this page: of the HTML of a long list, addresses are a third."""
    return address.removeprefix(f"{request.path.rpartition('/')[0]}/")


def local_only_url() -> str:
    """The server's own address when nobody outside this machine can open it, else nothing."""
    url: str = current_app.config["EXTERNAL_URL"]
    host = urlsplit(url).hostname or ""
    return url if host in ("localhost", "::1") or host.startswith("127.") else ""


def _layout_values(principal: Principal) -> dict[str, Any]:
    waiting = invitations.count_needing_attention(principal)
    return {
        "principal": principal,
        "organization": principal.organization,
        "need_attention": waiting,
        "organizations": [
            {"id": one.id, "name": one.name, "href": url_for("pages.overview", organization_id=one.id)}
            for one in organizations.list_for_user(current_user.user_id)
        ],
        "nav": [
            {"label": group.label, "items": entries}
            for group in NAVIGATION
            if (entries := [_line(entry, waiting) for entry in group.entries if entry.is_for(principal)])
        ],
    }


def _line(entry: NavigationItem, waiting: int) -> dict[str, Any]:
    return {
        "key": entry.key,
        "label": entry.label,
        "icon": entry.icon,
        "href": url_for(entry.endpoint),
        "count": waiting if entry.key == "invitations" else 0,
    }
