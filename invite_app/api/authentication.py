"""Authentication of requests, by API key or by session cookie."""

from uuid import UUID

from flask import g, request
from flask_login import current_user

from invite_app import ids
from invite_app.access import Actor, ApiKeyActor, UserActor, authorize
from invite_app.errors import OrganizationNotFound, Unauthenticated
from invite_app.services import api_keys, organizations, rate_limits

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
ORGANIZATION_HEADERS = ("X-Organization-ID", "TR-Organization", "X-Organization")
# Pages of another origin cannot send these headers, so requiring one prevents cross-site request forgery.
CUSTOM_HEADERS = ("X-Requested-With", *ORGANIZATION_HEADERS)


def bearer_or_session() -> Actor:
    """Return the actor of `Authorization: Bearer KEY`, or the signed-in user without that header.

    Raise Unauthenticated and RateLimited.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return person()
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    return key(secret.strip())


def key(secret: str) -> ApiKeyActor:
    """Return the actor of a key, which every operation must authorize or confirm.

    Raise Unauthenticated and RateLimited.
    """
    actor = api_keys.identify(secret, ip=request.remote_addr)
    rate_limits.count("requests by key", actor.api_key_id)
    rate_limits.check("refusals by key", actor.api_key_id)
    g.key_actor = actor  # for the log
    return actor


def note_refusal(status: int) -> None:
    """Count a response that rejects the request of a key, except 429."""
    if (actor := g.get("key_actor")) and 400 <= status < 500 and status != 429:
        rate_limits.note("refusals by key", actor.api_key_id)


def person() -> UserActor:
    """Return the user of the session cookie. Raise Unauthenticated."""
    if request.method not in SAFE_METHODS and not any(name in request.headers for name in CUSTOM_HEADERS):
        raise Unauthenticated
    if not current_user.is_authenticated:
        raise Unauthenticated
    return UserActor(current_user.user_id, request.remote_addr)


def organization_in_headers(actor: Actor, otherwise: Exception) -> UUID | None:
    """Return the organization named by the headers; a key can only name its own.

    Raise OrganizationNotFound for another or for several organizations, and `otherwise` for an invalid id.
    """
    given = [request.headers[name] for name in ORGANIZATION_HEADERS if name in request.headers]
    named = {ids.parse_id(text, otherwise) for text in given}
    if named and isinstance(actor, ApiKeyActor):
        named.add(actor.organization_id)
    if len(named) > 1:
        raise OrganizationNotFound
    return next(iter(named), None)


def check_path(in_path: str, in_headers: UUID | None) -> None:
    """Raise OrganizationNotFound when the headers name another organization than the path."""
    if in_headers is not None and organizations.resolve_id(in_path) != in_headers:
        raise OrganizationNotFound


def confirm(actor: Actor, in_headers: UUID | None) -> None:
    """Check the actor of an operation outside organizations, and the organization of its headers if any.

    Raise Unauthenticated and OrganizationNotFound.
    """
    if in_headers is None:
        api_keys.check_active(actor)
    else:
        authorize(actor, in_headers)


def own_organization(actor: Actor, in_headers: UUID | None) -> UUID:
    """Return the organization of a request without one in its path: that of the key, the headers or the user.

    Raise OrganizationNotFound for a user without exactly one organization when no header names one.
    """
    if isinstance(actor, ApiKeyActor):
        return actor.organization_id
    if in_headers is not None:
        return in_headers
    found = organizations.list_for_user(actor.user_id) if isinstance(actor, UserActor) else []
    if len(found) != 1:
        raise OrganizationNotFound
    return found[0].id
