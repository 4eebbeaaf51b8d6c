"""Who sends a request: a program with an API key, or a person who is signed in."""

from uuid import UUID

from flask import g, request
from flask_login import current_user

from invite_app.access import Actor, KeyActor, PersonActor
from invite_app.errors import OrganizationUnknown, Unauthenticated
from invite_app.services import api_keys, organizations, rate_limits

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
ORGANIZATION_HEADERS = ("TR-Organization", "X-Organization")
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


def key(secret: str) -> KeyActor:
    """The actor behind a key, which every operation has to authorize or confirm.

    Raises Unauthenticated and RateLimited.
    """
    actor = api_keys.recognize(secret, ip=request.remote_addr)
    rate_limits.hit("requests by key", actor.api_key_id)
    g.key_actor = actor  # for the log
    return actor


def person() -> PersonActor:
    """The person the session cookie stands for. Raises Unauthenticated."""
    if request.method not in SAFE_METHODS and not any(name in request.headers for name in CUSTOM_HEADERS):
        raise Unauthenticated
    if not current_user.is_authenticated:
        raise Unauthenticated
    return PersonActor(current_user.user_id, request.remote_addr)


def own_organization(actor: Actor) -> UUID | str:
    """The organization of a request that does not name one: the key's, or the only one a person belongs to.

    A person with several names one in a header. Raises OrganizationUnknown.
    """
    if isinstance(actor, KeyActor):
        return actor.organization_id
    if (named := organization_in_header()) is not None:
        return named
    found = organizations.list_of(actor.user_id) if isinstance(actor, PersonActor) else []
    if len(found) != 1:
        raise OrganizationUnknown
    return found[0].id


def organization_in_header() -> str | None:
    """The organization that a header names."""
    return next((request.headers[name] for name in ORGANIZATION_HEADERS if name in request.headers), None)
