"""Who sends a request: a program with an API key, or a person who is signed in."""

from uuid import UUID

from flask import g, request
from flask_login import current_user

from invite_app import ids
from invite_app.access import Actor, ApiKeyActor, UserActor, authorize
from invite_app.errors import OrganizationNotFound, Unauthenticated
from invite_app.services import api_keys, organizations, rate_limits

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
ORGANIZATION_HEADERS = ("X-Organization-ID", "TR-Organization", "X-Organization")
CUSTOM_HEADERS = ("X-Requested-With", *ORGANIZATION_HEADERS)
"""A page of another origin cannot send these, so they show that a cookie was not used behind its owner's back."""


def bearer_or_session() -> Actor:
    """The actor behind `Authorization: Bearer KEY`; without that header, the person who is signed in.

    Raises Unauthenticated and RateLimited.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return person()
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    return key(secret.strip())


def key(secret: str) -> ApiKeyActor:
    """The actor behind a key, which every operation has to authorize or confirm.

    Raises Unauthenticated and RateLimited.
    """
    actor = api_keys.identify(secret, ip=request.remote_addr)
    rate_limits.count("requests by key", actor.api_key_id)
    rate_limits.check("refusals by key", actor.api_key_id)
    g.key_actor = actor  # for the log
    return actor


def note_refusal(status: int) -> None:
    """Count an answer that refuses the request of a key. Those that ask it to come back later do not count."""
    if (actor := g.get("key_actor")) and 400 <= status < 500 and status != 429:
        rate_limits.note("refusals by key", actor.api_key_id)


def person() -> UserActor:
    """The person the session cookie stands for. Raises Unauthenticated."""
    if request.method not in SAFE_METHODS and not any(name in request.headers for name in CUSTOM_HEADERS):
        raise Unauthenticated
    if not current_user.is_authenticated:
        raise Unauthenticated
    return UserActor(current_user.user_id, request.remote_addr)


def organization_in_headers(actor: Actor, otherwise: Exception) -> UUID | None:
    """Return the organization that the headers name, which for a key has to be its own.

    Raise OrganizationUnknown when they name another one or several, and `otherwise` for what is not an id.
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
    """Check the actor of an operation outside of organizations, and that the one it names is the actor's.

    Raise Unauthenticated and OrganizationUnknown.
    """
    if in_headers is None:
        api_keys.check_active(actor)
    else:
        authorize(actor, in_headers)


def own_organization(actor: Actor, in_headers: UUID | None) -> UUID:
    """Return the organization of a request whose path names none: the key's, or the person's.

    A person who belongs to several names one in a header. Raise OrganizationUnknown.
    """
    if isinstance(actor, ApiKeyActor):
        return actor.organization_id
    if in_headers is not None:
        return in_headers
    found = organizations.list_for_user(actor.user_id) if isinstance(actor, UserActor) else []
    if len(found) != 1:
        raise OrganizationNotFound
    return found[0].id
