"""Security headers of every response."""

from collections.abc import Iterator, Mapping

from flask import Flask, Response, current_app, g, request

POLICY = {
    "default-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}

COMMON_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
# For responses that are no pages: nothing is loaded, and no frame may show them.
DENY_ALL = "default-src 'none'; frame-ancestors 'none'"


def register(app: Flask) -> None:
    app.after_request(_add_headers)


def content_security_policy(policy: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}".strip() for name, value in policy.items())


DEFAULT = content_security_policy(POLICY)


def allow_form_redirect(origin: str) -> None:
    """Browsers hold the redirect after a form to the page's `form-action` too, so name where it may lead."""
    g.form_targets = origin


def mark_url_secret() -> None:
    """This page's address is a secret: no other server is told it, and no cache keeps the page."""
    g.has_secret_address = True


def _add_headers(response: Response) -> Response:
    present = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 - these headers are no mapping
    response.headers.extend([(name, value) for name, value in _headers_for(response) if name.lower() not in present])
    return response


def _headers_for(response: Response) -> Iterator[tuple[str, str]]:
    """Return the headers of a response, unless its view has set them."""
    is_secret = "token" in (request.view_args or {}) or g.get("has_secret_address")
    yield from COMMON_HEADERS
    if request.is_secure or current_app.config["PREFERRED_URL_SCHEME"] == "https":
        yield "Strict-Transport-Security", "max-age=31536000"
    yield "Content-Security-Policy", _policy() if response.mimetype == "text/html" else DENY_ALL
    yield "Referrer-Policy", "no-referrer" if is_secret else "same-origin"
    if request.endpoint != "static":
        yield "Cache-Control", "no-store, private" if request.blueprint == "pages" and not is_secret else "no-store"


def _policy() -> str:
    targets = g.get("form_targets")
    return content_security_policy({**POLICY, "form-action": f"'self' {targets}"}) if targets else DEFAULT
