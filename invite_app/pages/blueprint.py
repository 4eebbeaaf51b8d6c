"""The blueprint of all pages. A page wants somebody signed in unless its view says that it is public."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, current_app, g, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user

from invite_app.access import authorize
from invite_app.services import accounts

from . import kept_forms
from .visitor import LATEST, actor

View = TypeVar("View", bound=Callable[..., Any])

pages = Blueprint("pages", __name__)
_PUBLIC: set[str] = set()


def public(view: View) -> View:
    """Mark a view that people see without being signed in."""
    _PUBLIC.add(f"{pages.name}.{view.__name__}")
    return view


def is_public(endpoint: str) -> bool:
    return endpoint in _PUBLIC


@pages.before_request
def want_signed_in() -> ResponseReturnValue | None:
    if is_public(request.endpoint or "") or current_user.is_authenticated:
        return None
    return kept_forms.ask_to_sign_in()


@pages.before_request
def enter_organization() -> None:
    """Read once what the person is and may do in the organization that the address names."""
    organization_id = (request.view_args or {}).get("organization_id")
    if organization_id is not None:
        has_changed = session.get(LATEST) != str(organization_id)
        if has_changed or g.pop("has_just_come", False):
            accounts.remember_visit(current_user.user_id, organization_id)
        stand_in(organization_id)
        if has_changed:
            session[LATEST] = str(organization_id)


def stand_in(organization_id: UUID) -> None:
    """Show this page inside an organization. Raises OrganizationUnknown."""
    g.standing = authorize(actor(), organization_id)


@pages.url_defaults
def stay_in_organization(endpoint: str, values: dict[str, Any]) -> None:
    """Links to pages of an organization lead to those of the present one."""
    standing = g.get("standing")
    if standing is not None and current_app.url_map.is_endpoint_expecting(endpoint, "organization_id"):
        values.setdefault("organization_id", standing.organization.id)
