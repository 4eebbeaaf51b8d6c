"""A browser without script: keeps cookies, sends forms, and checks every page."""

import re
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from . import html
from .factories import PASSWORD, Person

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Visitor:
    """Every HTML page is checked: structure, labels, ids, no inline style or script, the headers."""

    def __init__(self, app: Flask, **environ: Any) -> None:
        self.client = app.test_client()
        self._environ = environ
        self.answer: TestResponse | None = None

    def get(self, path: str, status: int = 200, **options: Any) -> html.Page:
        """Return the page, which has this status."""
        return self._look(self.client.get(path, **self._environ, **options), status)

    def head(self, path: str) -> TestResponse:
        return self.client.head(path, **self._environ)

    def post(self, path: str, *, page: str = "", **fields: Any) -> TestResponse:
        """Post a form with the CSRF token of its page (its own URL by default)."""
        self.answer = self.client.post(path, data={**fields, "csrf_token": self.token(page or path)}, **self._environ)
        return self.answer

    def submit(self, path: str, *, page: str = "", status: int = 422, **fields: Any) -> html.Page:
        """Send a form that is shown again, or whose result is shown at once."""
        return self._look(self.post(path, page=page, **fields), status)

    def go(self, path: str, *, page: str = "", **fields: Any) -> str:
        """Send a form that is accepted; return the redirect's location."""
        answer = self.post(path, page=page, **fields)
        assert answer.status_code == 303, (answer.status_code, html.read(answer.text).summary)
        return answer.location

    def follow(self, path: str, *, page: str = "", **fields: Any) -> html.Page:
        """Send a form that is accepted; return the next page."""
        return self.get(self.go(path, page=page, **fields))

    def sign_in(self, person: Person, password: str = PASSWORD) -> "Visitor":
        self.go("/sign-in", email=person.email, password=password)
        return self

    def token(self, page: str) -> str:
        found = TOKEN.search(self.client.get(page, follow_redirects=True, **self._environ).text)
        return found[1] if found else ""

    def _look(self, answer: TestResponse, status: int) -> html.Page:
        self.answer = answer
        page = html.read(answer.text)
        assert answer.status_code == status, (answer.status_code, answer.location, *page.texts("h1"), *page.summary)
        if (answer.mimetype == "text/html" and 300 > status >= 200) or status >= 400:
            assert not html.faults(answer.text), html.faults(answer.text)
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        return page
