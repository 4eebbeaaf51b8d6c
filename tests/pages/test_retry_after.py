"""Every page over a rate limit says when to retry."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from invite_app import errors
from invite_app.services.rate_limits import limits, memory
from tests.support.databases import on_sqlite
from tests.support.factories import PASSWORD, make_organization
from tests.support.mail import SmtpServer
from tests.support.visitor import Visitor

pytestmark = on_sqlite

NAMES = {"given_name": "A", "family_name": "B", "role": "member"}
FORMS: dict[str, list[dict[str, str]]] = {
    "/sign-in": [{"email": "owner@acme.example", "password": "wrong"}] * 2,
    "/forgot": [{"email": "owner@acme.example"}] * 2,
    "/organizations/{id}/invitations/new": [
        {**NAMES, "email": "ana@guest.example"},
        {**NAMES, "email": "bo@guest.example"},
    ],
}


@pytest.fixture
def app(make_app: Callable[..., Flask], smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> Flask:
    for name in limits.RULES:
        monkeypatch.setitem(limits.RULES, name, memory.Rule(1, 60))
    return make_app(INVITE_RATE_LIMITS="on", **smtp.environ)


@pytest.mark.parametrize("form", FORMS)
def test_refused_form_says_when_to_retry(app: Flask, form: str) -> None:
    with app.app_context():
        acme = make_organization()
    visitor = Visitor(app)
    if "{id}" in form:
        visitor.sign_in(acme.owner, PASSWORD)
    path = form.format(id=acme.id)
    answers = [visitor.post(path, **fields) for fields in FORMS[form]]
    assert [answer.status_code == 429 for answer in answers] == [False, True]
    assert "Retry-After" not in answers[0].headers
    assert 1 <= int(answers[1].headers["Retry-After"]) <= 60


def test_refusing_page_says_when_to_retry(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        acme = make_organization()
    visitor = Visitor(app).sign_in(acme.owner)

    def refuse(*_: Any, **__: Any) -> None:
        raise errors.RateLimited(17, "requests")

    monkeypatch.setattr("invite_app.services.members.page_for", refuse)
    visitor.get(f"/organizations/{acme.id}/members", 429)
    assert visitor.answer is not None
    assert visitor.answer.headers["Retry-After"] == "17"
