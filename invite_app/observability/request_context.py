"""The request and actor of a log line, as ids and never as credentials."""

import re
import secrets
from collections.abc import MutableMapping
from time import perf_counter
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, has_request_context, request

HEADER = "X-Request-ID"
_GIVEN = re.compile(r"[\w-]{8,64}", re.ASCII)
_ID = re.compile(r"[0-9a-f-]{32,36}", re.IGNORECASE)
log = structlog.get_logger()


def register(app: Flask) -> None:
    """With JSON logs every request is an event of its own, and its answer says under which id."""
    if app.config["LOG_FORMAT"] == "json":
        app.after_request(_log_request)


def add_request(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor for lines that are written during a request."""
    if has_request_context():
        event.setdefault("request_id", request_id())
        for name, value in (("actor", _actor()), ("organization", _organization())):
            if value:
                event.setdefault(name, value)
    return event


def request_id() -> str:
    """The one that a trusted proxy has given the request, or one of our own."""
    if "request_id" not in g:
        given = request.headers.get(HEADER, "") if current_app.config["TRUSTED_PROXIES"] else ""
        g.request_id = given if _GIVEN.fullmatch(given) else secrets.token_hex(8)
    return str(g.request_id)


def _actor() -> str:
    """Return the actor, if the request has loaded it; logging runs no query."""
    if key := g.get("key_actor"):
        return f"key:{key.api_key_id}"
    user_id = getattr(g.get("_login_user"), "user_id", None)
    return f"person:{user_id}" if user_id else ""


def _organization() -> str:
    named = (request.view_args or {}).get("organization_id")
    key = g.get("key_actor")
    if named is None:
        return str(key.organization_id) if key else ""
    return str(named) if _ID.fullmatch(str(named)) else ""


def _log_request(response: Response) -> Response:
    response.headers[HEADER] = request_id()
    route = request.url_rule.rule if request.url_rule is not None else None
    took = round((perf_counter() - g.began) * 1000, 1) if "began" in g else None
    log.info("request", method=request.method, route=route, status=response.status_code, milliseconds=took)
    return response
