"""Facts and accidents that no form can show, as pages of their own."""

from uuid import uuid4

import structlog
from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError

from invite_app.errors import (
    ApiKeyNotFound,
    CannotGrantRole,
    CannotManageMember,
    DomainError,
    InvitationClosed,
    InvitationNotFound,
    MembershipNotFound,
    OrganizationNotFound,
    PermissionDenied,
    RateLimited,
    RoleNotFound,
    ServiceBusy,
    Unauthenticated,
    UserNotFound,
    WorkspaceNotFound,
)
from invite_app.observability import metrics

from . import blueprint
from .blueprint import pages
from .shared import form_errors, render_page, saved_forms, theme

# Statuses of error pages by domain error; all others are 400.
STATUS: dict[type[DomainError], int] = {
    OrganizationNotFound: 404,
    InvitationNotFound: 404,
    MembershipNotFound: 404,
    WorkspaceNotFound: 404,
    RoleNotFound: 404,
    UserNotFound: 404,
    ApiKeyNotFound: 404,
    PermissionDenied: 403,
    CannotGrantRole: 403,
    CannotManageMember: 403,
    RateLimited: 429,
}

HAS_TEMPLATE = (400, 403, 404, 429)
log = structlog.get_logger()


@pages.errorhandler(DomainError)
def show_fact(error: DomainError) -> ResponseReturnValue:
    metrics.record_error(error)
    status = STATUS.get(type(error), 400)
    sentence = "" if isinstance(error, PermissionDenied) else form_errors.message(error)
    answer = render_page(f"errors/{status}.html", status=status, sentence=sentence)
    retry = {"Retry-After": str(error.retry_after)} if isinstance(error, RateLimited) else {}
    return (*answer, retry) if isinstance(answer, tuple) else answer


@pages.errorhandler(ServiceBusy)
def show_busy(error: ServiceBusy) -> ResponseReturnValue:
    """Show no navigation, for which the database would have to be asked."""
    metrics.record_error(error)
    g.pop("principal", None)
    page = render_template("errors/503.html", sentence=str(error), theme=theme(), nav=None)
    return page, 503, {"Retry-After": str(error.retry_after)}


@pages.errorhandler(Unauthenticated)
def ask_to_sign_in(_: Unauthenticated) -> ResponseReturnValue:
    return saved_forms.ask_to_sign_in()


@pages.errorhandler(InvitationClosed)
def show_ended_invitation(error: InvitationClosed) -> ResponseReturnValue:
    flash(form_errors.message(error), "warn")
    return redirect(url_for("pages.invitation", invitation_id=error.invitation_id), 303)


@pages.app_errorhandler(CSRFError)
def show_form_again(_: CSRFError) -> ResponseReturnValue:
    """A form from an outdated page. Its sender gets it again, unless another site may have sent it."""
    if request.blueprint != pages.name or not _comes_from_here():
        return render_page("errors/csrf.html", status=400)
    if current_user.is_authenticated or blueprint.is_public(request.endpoint or ""):
        return saved_forms.show_restored()
    return saved_forms.ask_to_sign_in()


def _comes_from_here() -> bool:
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    return site == "same-origin" if site else origin in (None, request.host_url.rstrip("/"))


@pages.app_errorhandler(HTTPException)
def show_status(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if code < 400:
        return error
    template = f"errors/{code if code in HAS_TEMPLATE else 400}.html"
    answer = render_page(template, status=code)
    return (*answer, _headers_of(error)) if isinstance(answer, tuple) else answer


def _headers_of(error: HTTPException) -> dict[str, str]:
    """Return the headers that belong to the status, such as `Allow` for 405."""
    return {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}


@pages.app_errorhandler(SecurityError)
def refuse_host(error: SecurityError) -> ResponseReturnValue:
    """A request for a host that is not ours has no routes, so its page has no links."""
    return error.get_response()


@pages.app_errorhandler(InternalServerError)
def show_accident(error: InternalServerError) -> ResponseReturnValue:
    """Nothing is asked of the database here: it may be what broke."""
    number = uuid4().hex[:12]
    log.error("page_failed", number=number, path=request.path, exc_info=error.original_exception)
    g.pop("principal", None)
    return render_template("errors/500.html", number=number, theme=theme(), nav=None), 500
