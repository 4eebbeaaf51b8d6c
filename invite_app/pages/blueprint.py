"""The blueprint of all pages. A page wants somebody signed in unless its view says that it is public."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, current_app, g, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import RequestEntityTooLarge

from invite_app.access import authorize
from invite_app.extensions import csrf
from invite_app.services import accounts
from invite_app.web import request_limits

from .shared import LATEST, current_actor, principal, saved_forms

View = TypeVar("View", bound=Callable[..., Any])

pages = Blueprint("pages", __name__)
# Its tokens are checked by `take_form`, which comes after the sender's rights.
csrf.exempt(pages)
_PUBLIC: set[str] = set()


@dataclass(frozen=True)
class LargeForm:
    """A form beyond the limits of public routes, for those who hold the permission."""

    needs: str
    size: int
    fields: int


_LARGE: dict[str, LargeForm] = {}


def public(view: View) -> View:
    """Mark a view that people see without being signed in."""
    _PUBLIC.add(f"{pages.name}.{view.__name__}")
    return view


def is_public(endpoint: str) -> bool:
    return endpoint in _PUBLIC


def large_form(needs: str, *, size: int = request_limits.MIB, fields: int = 5_000) -> Callable[[View], View]:
    """Mark a view whose form may be large, and which the permission `needs` is required to send."""

    def mark(view: View) -> View:
        _LARGE[f"{pages.name}.{view.__name__}"] = LargeForm(needs, size, fields)
        return view

    return mark


def limits_of(endpoint: str) -> LargeForm | None:
    """Return the limits that a view has declared for its form."""
    return _LARGE.get(endpoint)


@pages.before_request
def require_sign_in() -> ResponseReturnValue | None:
    if is_public(request.endpoint or "") or current_user.is_authenticated:
        return None
    with suppress(RequestEntityTooLarge):  # the form is dropped, and the visitor signs in first
        _check_token()
    return saved_forms.ask_to_sign_in()


@pages.before_request
def load_organization() -> None:
    """Read once what the person is and may do in the organization that the address names."""
    organization_id = (request.view_args or {}).get("organization_id")
    if organization_id is not None:
        has_changed = session.get(LATEST) != str(organization_id)
        if has_changed or g.pop("has_just_come", False):
            accounts.touch_membership(current_user.user_id, organization_id)
        set_organization(organization_id)
        if has_changed:
            session[LATEST] = str(organization_id)


@pages.before_request
def take_form() -> None:
    """Parse the form within the limits of its view and check its token, once its sender may send it."""
    if request.method not in current_app.config["WTF_CSRF_METHODS"]:
        return
    if limits := limits_of(request.endpoint or ""):
        principal().check_can(limits.needs)
        request_limits.allow(size=limits.size, fields=limits.fields)
    _check_token()


def _check_token() -> None:
    if current_app.config["WTF_CSRF_ENABLED"]:
        csrf.protect()


def set_organization(organization_id: UUID) -> None:
    """Show this page inside an organization. Raises OrganizationNotFound."""
    g.principal = authorize(current_actor(), organization_id)


@pages.url_defaults
def default_organization(endpoint: str, values: dict[str, Any]) -> None:
    """Links to pages of an organization lead to those of the present one."""
    principal = g.get("principal")
    if principal is not None and current_app.url_map.is_endpoint_expecting(endpoint, "organization_id"):
        values.setdefault("organization_id", principal.organization.id)
