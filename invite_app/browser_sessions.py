"""The browser's session in its signed cookie: Flask's own, made ready once instead of with every request."""

from functools import cache
from typing import Any

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface


class CookieSessions(SecureCookieSessionInterface):
    """Deriving the signer takes as long as looking the cookie up, and programs send no cookie at all."""

    def __init__(self) -> None:
        self.get_signing_serializer: Any = cache(super().get_signing_serializer)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)
