"""Limits on the size of a request, enforced before its body is parsed.

Every request starts with the limits of public routes. A route raises them for itself once the sender is known and
holds the permission of the route, which pages declare with `large_form` and JSON endpoints with `max_bytes`.
"""

from io import BytesIO
from typing import IO, Any

from flask import Flask, Request, request
from werkzeug.exceptions import RequestEntityTooLarge, RequestURITooLarge, UnsupportedMediaType
from werkzeug.formparser import FormDataParser

KIB = 1024
MIB = 1024 * KIB
# Read from anybody.
PUBLIC_BYTES = 64 * KIB
PUBLIC_FIELDS = 200
# Longer than any address that a page links to or a documented query needs.
QUERY_BYTES = 16 * KIB
URLENCODED = "application/x-www-form-urlencoded"


class EncodedBody(UnsupportedMediaType):
    """The body is compressed, or encoded in another way."""

    description = "Send the body without Content-Encoding."

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        return [*super().get_headers(*args, **kwargs), ("Accept-Encoding", "identity")]


class LimitedFormParser(FormDataParser):
    """Counts the fields of a URL-encoded form before it parses them; Werkzeug counts those of a multipart form."""

    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> Any:
        if mimetype == URLENCODED:
            body = stream.read()
            check_length(body, content_length, self.max_content_length)
            if self.max_form_parts is not None and body.count(b"&") >= self.max_form_parts:
                raise RequestEntityTooLarge
            stream = BytesIO(body)
        return super().parse(stream, mimetype, content_length, options)


class LimitedRequest(Request):
    """A request whose body is refused with 413 beyond the limits, also when it comes in chunks."""

    form_data_parser_class = LimitedFormParser

    def get_data(self, *args: Any, **kwargs: Any) -> Any:
        data = super().get_data(*args, **kwargs)
        check_length(data, self.content_length, self.max_content_length)
        return data


def check_length(body: bytes | str, declared: int | None, limit: int | None) -> None:
    """Raise RequestEntityTooLarge when a body of undeclared length fills the limit.

    Werkzeug compares a declared length itself, but silently cuts a chunked body off at the limit.
    """
    if declared is None and limit is not None and len(body) >= limit:
        raise RequestEntityTooLarge


def allow(*, size: int, fields: int = PUBLIC_FIELDS) -> None:
    """Set the limits of the present request, before its body is read."""
    request.max_content_length = request.max_form_memory_size = size
    request.max_form_parts = fields


def has_small_body() -> bool:
    """Return whether the body, as declared, is no longer than one that is read from anybody."""
    return not _is_chunked() and (request.content_length or 0) <= PUBLIC_BYTES


def register(app: Flask) -> None:
    """Use the limits for every request of the application."""
    app.request_class = LimitedRequest
    app.before_request(_check_envelope)


def _check_envelope() -> None:
    """Raise RequestURITooLarge for an endless query string, and EncodedBody for a compressed body."""
    if len(request.query_string) > QUERY_BYTES:
        raise RequestURITooLarge
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity") and _has_body():
        raise EncodedBody


def _has_body() -> bool:
    return bool(request.content_length) or _is_chunked()


def _is_chunked() -> bool:
    return "chunked" in request.headers.get("Transfer-Encoding", "").lower()
