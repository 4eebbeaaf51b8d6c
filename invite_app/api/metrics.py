"""The `/metrics` endpoint, for local requests and for requests with the token; all others get 404."""

import hmac
from ipaddress import ip_address

from flask import Blueprint, Response, abort, current_app, request
from sqlalchemy.exc import SQLAlchemyError

from invite_app.observability import metrics
from invite_app.services import delivery

from .deadline import in_time

# A request with any of these came through a proxy, so the address of the connection is not the client's.
FORWARDING = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def show() -> Response:
    if not _has_token() and not _is_from_here():
        abort(404)
    try:
        status = in_time(delivery.outbox_status)
    except (SQLAlchemyError, TimeoutError):
        status = None
    return Response(metrics.render(status), content_type=metrics.CONTENT_TYPE, headers={"Cache-Control": "no-store"})


def _has_token() -> bool:
    token: str = current_app.config["METRICS_TOKEN"]
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    is_same = hmac.compare_digest(given.strip().encode("utf-8", "surrogatepass"), token.encode())
    return bool(token) and scheme.lower() == "bearer" and is_same


def _is_from_here() -> bool:
    """Return whether the peer is on this machine and is no proxy."""
    before_proxy = request.environ.get("werkzeug.proxy_fix.orig", request.environ)
    is_proxy = any(name in request.headers for name in FORWARDING)
    return not is_proxy and _is_loopback(before_proxy.get("REMOTE_ADDR"))


def _is_loopback(address: str | None) -> bool:
    try:
        found = ip_address((address or "").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback
