"""Response headers for browsers and caches, on every route."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.databases import on_sqlite
from tests.support.factories import Acme, invite, make_link, make_organization, token_of
from tests.support.visitor import Visitor
from tests.test_architecture import address_of

pytestmark = on_sqlite

PAGE = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
LIKE_PAGE = re.compile(re.escape(PAGE).replace("form\\-action\\ 'self'", "form-action 'self'( https://[a-z.]+)?"))
ELSEWHERE = "default-src 'none'; frame-ancestors 'none'"
# Shown in a frame of our own pages, without scripts: the mail as its reader sees it.
IN_FRAME = {"pages.outbox_body"}


@pytest.fixture
def acme(app: Flask) -> Acme:
    with app.app_context():
        return make_organization()


@pytest.fixture(params=["nobody", "owner"])
def client(request: pytest.FixtureRequest, app: Flask, acme: Acme) -> FlaskClient:
    return (Visitor(app).sign_in(acme.owner) if request.param == "owner" else Visitor(app)).client


@pytest.fixture
def addresses(app: Flask, acme: Acme) -> dict[str, str]:
    """Return values for the variable parts, so that pages are really shown."""
    with app.app_context():
        sent = invite(acme)
        return {"organization_id": str(acme.id), "invitation_id": str(sent.id), "token": token_of(sent)}


def answers(app: Flask, client: FlaskClient, addresses: dict[str, str]) -> Iterator[tuple[str, str, TestResponse]]:
    for rule in app.url_map.iter_rules():
        real = re.sub(r"<(?:\w+:)?(\w+)>", lambda part: addresses.get(part[1], part[0]), rule.rule)
        for path in {address_of(rule), address_of(_Rule(real))}:
            for method in sorted((rule.methods or set()) - {"OPTIONS"}):
                with client.open(path, method=method, environ_base={"REMOTE_ADDR": "127.0.0.1"}) as answer:
                    yield rule.endpoint, f"{method} {path}", answer


class _Rule:
    def __init__(self, rule: str) -> None:
        self.rule = rule


def test_every_response(app: Flask, client: FlaskClient, addresses: dict[str, str]) -> None:
    """Every response has a content type, cannot be framed, and is cached and referred to only where allowed."""
    seen = Counter[str]()
    for endpoint, name, answer in answers(app, client, addresses):
        headers, policy = answer.headers, answer.headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff", name
        assert "camera=()" in headers["Permissions-Policy"], name
        assert "unsafe" not in policy, name
        if answer.mimetype != "text/html":
            assert policy == ELSEWHERE, name
        elif endpoint not in IN_FRAME or answer.status_code != 200:
            assert LIKE_PAGE.fullmatch(policy), name
        if endpoint != "static":
            assert "no-store" in headers["Cache-Control"], name
        if addresses["token"] in name:
            assert headers["Referrer-Policy"] == "no-referrer", name
            seen["with a token"] += 1
        assert headers["Referrer-Policy"] in ("same-origin", "no-referrer"), name
        seen[str(answer.status_code)] += 1
    assert seen["200"] > 10
    assert seen["404"] > 10
    assert seen["with a token"] > 10


def test_account_and_setup_links_are_hidden_too(app: Flask, acme: Acme) -> None:
    with app.app_context():
        paths = [f"/{place}/{make_link(acme.owner, purpose)}" for place, purpose in LINKS]
    for path in [*paths, "/setup/x", "/setup?token=x", "/reset/x"]:
        with app.test_client().get(path) as answer:
            assert answer.headers["Referrer-Policy"] == "no-referrer", path
            assert "no-store" in answer.headers["Cache-Control"], path


LINKS: list[tuple[str, Any]] = [("reset", "reset"), ("sign-in", "sign-in"), ("account/address", "address")]


@pytest.mark.parametrize("external", ["http://localhost", "https://localhost"])
@pytest.mark.parametrize("asked", ["http://localhost", "https://localhost"])
def test_https_sets_strict_transport_security(make_app: Any, external: str, asked: str) -> None:
    client = make_app(INVITE_EXTERNAL_URL=external).test_client()
    for path in ("/sign-in", "/healthz", "/api/v1/me", "/nowhere", "/static/app.js"):
        with client.get(path, base_url=asked) as answer:
            header = answer.headers.get("Strict-Transport-Security")
            assert header == ("max-age=31536000" if "https" in external + asked else None), path
