"""What every answer says about itself to the browser."""

from collections.abc import Mapping

from flask import Flask, Response, g, request
from flask_login import current_user

POLICY = {
    "default-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}


def register(app: Flask) -> None:
    app.after_request(_add_headers)


def content_security_policy(policy: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}".strip() for name, value in policy.items())


def let_forms_lead_to(origin: str) -> None:
    """Browsers hold the redirect after a form to the page's `form-action` too, so name where it may lead."""
    g.form_targets = origin


def hide_address() -> None:
    """This page's address is a secret: no other server is told it, and no cache keeps the page."""
    g.has_secret_address = True


def _add_headers(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if response.mimetype == "text/html":
        form_action = f"'self' {g.get('form_targets', '')}".strip()
        response.headers.setdefault(
            "Content-Security-Policy", content_security_policy({**POLICY, "form-action": form_action})
        )
    if g.get("has_secret_address"):
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
    elif request.blueprint == "pages":
        response.headers.setdefault("Referrer-Policy", "same-origin")
        if current_user.is_authenticated:
            response.headers["Cache-Control"] = "no-store, private"
    return response
