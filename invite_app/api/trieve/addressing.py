"""Which organization a Trieve request is about.

One in the path decides alone: that is the organization which is acted on. Otherwise a header names it, or for keys
the body; a request in which both do has to mean the same one.
"""

from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

from invite_app import ids
from invite_app.access import Actor, KeyActor
from invite_app.api import authentication, shape

IN_BODY = ("organization_id", "organizationId")


class Misaddressed(Exception):
    """What the request names as its organization cannot be one, or it names two."""


def addressed(actor: Actor) -> UUID | str:
    """The organization of a request whose path names none. Raises Misaddressed and OrganizationUnknown."""
    in_header, in_body = _in_header(), _in_body()
    of_body = in_body if isinstance(actor, KeyActor) else None  # a page of another origin can write a body
    found = in_header or of_body or authentication.own_organization(actor)
    if in_body not in (None, found):
        raise Misaddressed("The body names another organization than the header")
    return found


def _in_header() -> UUID | None:
    named = authentication.organization_in_header()
    return None if named is None else ids.parse(named, Misaddressed("Could not convert Organization to UUID"))


def _in_body() -> UUID | None:
    """None also for what is no id: that is told as a deviation of the body."""
    with suppress(shape.Malformed, ValueError, TypeError, AttributeError):
        body = shape.given()
        if isinstance(body, Mapping):
            return next((UUID(body[name]) for name in IN_BODY if body.get(name) is not None), None)
    return None
