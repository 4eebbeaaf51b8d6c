"""Signing in and out, redirects, and forms saved meanwhile."""

import secrets
from collections.abc import Callable

import pytest
from flask import Flask

from invite_app.pages.shared import local_path
from invite_app.services import accounts
from tests.support.factories import PASSWORD, Acme, make_organization, make_person
from tests.support.visitor import Visitor


def test_start_page_redirects_to_the_first_organization(acme: Acme, visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    assert visitor.client.get("/").location == "/sign-in"
    assert visitor.go("/sign-in", email=acme.owner.email.upper(), password=PASSWORD) == "/"
    assert visitor.client.get("/").location == f"/organizations/{acme.id}/"
    assert visitor.client.get("/sign-in").location == "/"


def test_people_without_an_organization_see_what_to_do(app: Flask, visit: Callable[..., Visitor]) -> None:
    with app.app_context():
        loner = make_person("loner@nowhere.example")
    assert visit(loner).get("/").texts("h1") == ["No organization yet"]


@pytest.mark.parametrize(
    ("email", "password"),
    [("owner@acme.example", "wrong"), ("nobody@acme.example", PASSWORD), ("not an address", PASSWORD)],
)
def test_failed_sign_in_reveals_nothing_about_the_account(
    email: str, password: str, acme: Acme, visit: Callable[..., Visitor]
) -> None:
    page = visit().submit("/sign-in", email=email, password=password)
    assert page.summary == ["Email or password is wrong."]
    assert page.value("email") == email
    assert page.value("password") == ""


def test_missing_values_are_shown_at_the_fields(visit: Callable[..., Visitor]) -> None:
    page = visit().submit("/sign-in")
    assert page.errors == ["Enter your email address.", "Enter your password."]
    assert page.texts("title") == ["Problem: Sign in"]


EVIL = [
    "//evil.example",
    "https:evil.example",
    "https://evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "javascript:alert(1)",
    "evil.example",
    " /organizations",
    "///evil.example",
    "",
]


@pytest.mark.parametrize("target", EVIL)
def test_foreign_urls_are_not_local_paths(target: str) -> None:
    assert local_path(target) is None


def test_only_local_paths_are_followed(acme: Acme, visit: Callable[..., Visitor]) -> None:
    visitor, home = visit(acme.owner), f"/organizations/{acme.id}/"
    for target in EVIL:
        assert visitor.go("/appearance", page=home, next=target, theme="dark") == "/"
    visitor.go("/sign-out", page=home)
    for target in EVIL:
        assert not visitor.get("/sign-in", query_string={"next": target}).all("input", name="next")
    assert visitor.go("/sign-in", email=acme.owner.email, password=PASSWORD, next=EVIL[0]) == "/"


def test_sign_in_returns_to_the_requested_page(acme: Acme, visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    wanted = f"/organizations/{acme.id}/invitations?state=expired"
    asked = visitor.client.get(wanted).location
    page = visitor.get(asked)
    assert visitor.go(asked, email=acme.owner.email, password=PASSWORD, next=page.value("next")) == wanted


def test_each_sign_in_is_a_new_session(app: Flask, acme: Acme, visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    visitor.get("/sign-in")
    before = visitor.token("/sign-in")
    visitor.sign_in(acme.owner)
    with visitor.client.session_transaction() as session:
        first = session["_user_id"]
        assert session.permanent
    assert visitor.token(f"/organizations/{acme.id}/") != before
    visitor.go("/sign-out", page=f"/organizations/{acme.id}/")
    with app.app_context():
        assert accounts.find_session(first) is None
    visitor.get(f"/organizations/{acme.id}/", 303)


def test_stolen_cookie_ends_with_the_sign_out(acme: Acme, visit: Callable[..., Visitor]) -> None:
    victim, thief = visit(acme.owner), visit()
    cookie = victim.client.get_cookie("session")
    assert cookie is not None
    thief.client.set_cookie("session", cookie.value)
    thief.get(f"/organizations/{acme.id}/")
    victim.go("/sign-out", page=f"/organizations/{acme.id}/")
    thief.get(f"/organizations/{acme.id}/", 303)


def test_typed_text_survives_signing_out(acme: Acme, visit: Callable[..., Visitor]) -> None:
    visitor, form = visit(acme.owner), f"/organizations/{acme.id}/invitations/new"
    typed = {"given_name": "Ana", "family_name": "Sousa", "email": "ana@guest.example", "note": "Hello\nAna"}
    token = visitor.token(form)
    visitor.go("/sign-out", page=form)
    asked = visitor.client.post(form, data={**typed, "csrf_token": token}).location
    page = visitor.get(asked)
    assert page.notes == ["You were signed out. Sign in to go on; what you typed is kept."]
    assert visitor.go(asked, email=acme.owner.email, password=PASSWORD, next=page.value("next")) == form
    again = visitor.get(form)
    assert {name: again.value(name).replace("\r\n", "\n") for name in typed} == typed
    assert visitor.get(form).value("email") == "", "it is shown once"


def test_typed_text_is_kept_for_one_account(acme: Acme, visit: Callable[..., Visitor]) -> None:
    visitor, form = visit(acme.owner), f"/organizations/{acme.id}/invitations/new"
    visitor.go("/sign-out", page=form)
    visitor.client.post(form, data={"email": "secret@guest.example"})
    visitor.sign_in(acme.admin)
    assert visitor.get(form).value("email") == ""


def test_text_too_large_for_cookies_is_not_kept(acme: Acme, visit: Callable[..., Visitor]) -> None:
    visitor, form = visit(acme.owner), f"/organizations/{acme.id}/invitations/new"
    visitor.go("/sign-out", page=form)
    asked = visitor.client.post(form, data={"note": secrets.token_hex(8000)}).location
    assert visitor.get(asked).notes == ["You were signed out. Sign in to go on."]


def test_passwords_are_never_kept(acme: Acme, visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    visitor.client.post("/sign-in", data={"email": "ana@guest.example", "password": "my secret phrase"})
    with visitor.client.session_transaction() as session:
        assert "my secret phrase" not in str(dict(session))
    assert visitor.get("/sign-in").value("email") == "ana@guest.example"


def test_sign_in_link_works_once_by_its_button(app: Flask, acme: Acme, visit: Callable[..., Visitor]) -> None:
    with app.app_context():
        path = f"/sign-in/{accounts.create_sign_in_link(acme.owner.email)}"
    visitor = visit()
    for _ in range(3):
        visitor.get(path)
    assert visitor.answer is not None
    assert visitor.answer.headers["Referrer-Policy"] == "no-referrer"
    assert visitor.answer.headers["Cache-Control"] == "no-store"
    assert visitor.go(path) == "/"
    assert visit().submit(path, status=404).texts("h1") == ["This link does not work"]


def test_browser_is_known_after_its_first_sign_in(make_app: Callable[..., Flask]) -> None:
    app = make_app(INVITE_RATE_LIMITS="on")
    with app.app_context():
        owner = make_organization().owner
    known, stranger = Visitor(app).sign_in(owner), Visitor(app)
    cookie = known.client.get_cookie("device")
    assert cookie is not None
    assert (cookie.http_only, cookie.same_site, cookie.path) == (True, "Lax", "/")
    known.go("/sign-out", page="/account")
    for _ in range(10):
        stranger.submit("/sign-in", email=owner.email, password="wrong")
    stranger.submit("/sign-in", status=429, email=owner.email, password=PASSWORD)
    assert known.go("/sign-in", email=owner.email, password=PASSWORD) == "/"


def test_browser_stays_known_after_a_new_password(make_app: Callable[..., Flask]) -> None:
    app = make_app(INVITE_RATE_LIMITS="on")
    with app.app_context():
        owner = make_organization().owner
    known, new = Visitor(app).sign_in(owner), "a phrase that nobody knows"
    known.go("/account/password", password=PASSWORD, new_password=new)
    known.go("/sign-out", page="/account")
    for _ in range(10):
        Visitor(app).submit("/sign-in", email=owner.email, password="wrong")
    known.sign_in(owner, new)


@pytest.mark.parametrize(("theme", "kept"), [("dark", "dark"), ("light", "light"), ("", None), ("x onload=", None)])
def test_color_scheme_is_stored_in_a_cookie(
    theme: str, kept: str | None, acme: Acme, visit: Callable[..., Visitor]
) -> None:
    visitor, home = visit(acme.owner), f"/organizations/{acme.id}/"
    assert visitor.go("/appearance", page=home, theme=theme, next=home) == home
    page = visitor.get(home)
    assert page.all("html")[0].attributes.get("data-theme") == kept
