"""Headers, CSRF tokens and error pages of all pages."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.support import html
from tests.support.factories import Acme, invite
from tests.support.visitor import Visitor

POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"


@pytest.fixture
def home(acme: Acme) -> str:
    return f"/organizations/{acme.id}"


def test_signed_in_pages_are_not_cached(home: str, owner: Visitor, visit: Callable[..., Visitor]) -> None:
    owner.get(f"{home}/members")
    assert owner.answer is not None
    headers = owner.answer.headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["Cache-Control"] == "no-store, private"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers


def test_https_sets_strict_transport_security(visit: Callable[..., Visitor]) -> None:
    visitor = visit(base_url="https://localhost")
    visitor.get("/sign-in")
    assert visitor.answer is not None
    assert visitor.answer.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_forged_form_is_refused(headers: dict[str, str], app: Flask, acme: Acme, home: str, owner: Visitor) -> None:
    data = {"name": "Forged", "csrf_token": "forged"}
    answer = owner.client.post(f"{home}/workspaces/new", data=data, headers=headers)
    assert answer.status_code == 400
    assert html.read(answer.text).texts("h1") == ["This page is out of date"]
    assert "Forged" not in owner.get(f"{home}/workspaces").texts("span", "who-name")
    assert owner.get(f"{home}/workspaces/new").value("name") == ""


def test_outdated_form_is_shown_again_as_typed(home: str, owner: Visitor) -> None:
    answer = owner.client.post(f"{home}/workspaces/new", data={"name": "Research"})
    assert (answer.status_code, answer.location) == (303, f"{home}/workspaces/new")
    page = owner.get(f"{home}/workspaces/new")
    assert page.notes == ["This page was out of date. Check what you typed and send it again."]
    assert page.value("name") == "Research"
    assert "Research" not in owner.get(f"{home}/workspaces").texts("span", "who-name")


def test_every_form_requires_a_csrf_token(app: Flask, acme: Acme, home: str, owner: Visitor) -> None:
    with app.app_context():
        one = f"{home}/invitations/{invite(acme).id}"
    for path in (f"{one}/resend", f"{one}/revoke", f"{one}/extend", f"{one}/link", "/sign-out", "/appearance"):
        assert owner.client.post(path).status_code == 303, "back to where it came from"
    assert "In the outbox" in owner.get(f"{home}/invitations").texts("span", "badge")


@pytest.mark.parametrize("path", ["/nowhere", "/organizations/none/", "/organizations/"])
def test_missing_page_is_explained(path: str, owner: Visitor) -> None:
    assert owner.get(path, 404).texts("h1") == ["Not found"]


def test_wrong_method_is_405_with_allow_header(owner: Visitor, home: str) -> None:
    answer = owner.client.put(f"{home}/members", headers={"X-CSRFToken": owner.token(f"{home}/")})
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_oversized_form_is_not_reported_as_a_file(home: str, owner: Visitor) -> None:
    answer = owner.client.post(f"{home}/settings", data={"name": "x" * (1 << 20)})
    assert answer.status_code == 413
    said = "This is too large: a form may have up to 64 KiB and 200 fields. Go back and send less."
    assert said in html.read(answer.text).texts("p")


def test_internal_error_shows_a_number_and_no_details(
    app: Flask, home: str, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr("invite_app.services.members.page_for", lambda *_, **__: 1 / 0)
    page = owner.get(f"{home}/members", 500)
    assert page.texts("h1") == ["Something broke"]
    assert len(page.texts("code")[0]) == 12
    assert "Try again in a minute. If it breaks again, tell whoever runs this server the number." in page.texts("p")
    assert owner.answer is not None
    assert "ZeroDivision" not in owner.answer.text
