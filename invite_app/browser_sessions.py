"""The browser's session in its signed cookie: Flask's own, made ready once instead of with every request."""

from functools import cache
from typing import Any

from flask.sessions import SecureCookieSessionInterface


class CookieSessions(SecureCookieSessionInterface):
    """Keeps its signer: making one takes five times as long as seeing that a program sends no cookie."""

    def __init__(self) -> None:
        self.get_signing_serializer: Any = cache(super().get_signing_serializer)
