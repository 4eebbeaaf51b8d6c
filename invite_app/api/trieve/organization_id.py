"""The organization that a Trieve request is about, where its path names none: a header's, or for keys the body's."""

from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

from invite_app.access import Actor, ApiKeyActor
from invite_app.api import request_parsing

IN_BODY = ("organization_id", "organizationId")


class OrganizationMismatch(Exception):
    """The request names no organization, or two."""


class NotAnId(OrganizationMismatch):
    """A header names an organization by something that is not an id."""

    def __init__(self) -> None:
        super().__init__("Could not convert Organization to UUID")


def addressed(actor: Actor, in_headers: UUID | None) -> UUID:
    """Return the organization of a request whose path names none. Raise OrganizationMismatch."""
    in_body = _in_body()
    of_body = in_body if isinstance(actor, ApiKeyActor) else None  # a page of another origin can write a body
    found = in_headers or of_body
    if found is None:
        raise OrganizationMismatch("The TR-Organization header is missing")
    if in_body not in (None, found):
        raise OrganizationMismatch("The body names another organization than the header")
    return found


def _in_body() -> UUID | None:
    """Return None also for what is no id: that is told as a deviation of the body."""
    with suppress(request_parsing.RequestInvalid, ValueError, TypeError, AttributeError):
        body = request_parsing.parsed_body()
        if isinstance(body, Mapping):
            return next((UUID(body[name]) for name in IN_BODY if body.get(name) is not None), None)
    return None
