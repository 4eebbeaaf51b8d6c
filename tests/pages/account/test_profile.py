"""The account pages: name, address, password, sessions and organizations."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from invite_app import tokens
from invite_app.db import session
from invite_app.models import AccountLink, User
from invite_app.pages.shared import user_agents
from invite_app.services import accounts
from invite_app.services.accounts import passwords
from tests.support.factories import PASSWORD, Acme, Person, add_member, make_person
from tests.support.mail import SmtpServer
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]
NEW = "a phrase that nobody knows"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def mailing(make_app: Callable[..., Flask], smtp: SmtpServer) -> Flask:
    """Return the application with a mail server."""
    return make_app(**smtp.environ)


@pytest.fixture
def ana(mailing: Flask, acme: Acme) -> Visitor:
    """Sign in where mail can be sent."""
    with mailing.app_context():
        person = make_person("ana@guest.example")
    return Visitor(mailing).sign_in(person)


def user(app: Flask, person_id: object) -> User:
    with app.app_context():
        found: User = session().get_one(User, person_id)
        return found


def last_link(app: Flask) -> str:
    with app.app_context():
        newest = session().scalars(select(AccountLink).order_by(AccountLink.id.desc())).first()
        return f"/account/address/{tokens.account_token(newest.id)}"


# --- name ---


def test_name_is_saved(app: Flask, acme: Acme, owner: Visitor) -> None:
    page = owner.get("/account")
    assert (page.value("given_name"), page.value("family_name")) == ("Olivia", "Owner")
    page = owner.follow("/account", given_name="Liv", family_name="Olsen")
    assert page.notes == ["Name saved."]
    assert user(app, acme.owner.id).name == "Liv Olsen"
    assert "Liv Olsen" in owner.get(f"/organizations/{acme.id}/members").texts("a", "who-name")


def test_invalid_name_is_shown_at_its_field(acme: Acme, owner: Visitor) -> None:
    page = owner.submit("/account", given_name="x" * 101, family_name="")
    assert page.errors == page.summary == ["Use at most 100 characters.", "Enter a family name."]
    assert page.value("given_name") == "x" * 101


def test_account_page_requires_signing_in(visit: Visit) -> None:
    for path in ("/account", "/account/address", "/account/password"):
        stranger = visit()
        stranger.get(path, 303)
        assert stranger.answer is not None
        assert stranger.answer.location == f"/sign-in?next={path}"


# --- address ---


def test_new_address_applies_once_verified(ana: Visitor, mailing: Flask, visit: Visit) -> None:
    page = ana.follow("/account/address", email="Ana@New.example", password=PASSWORD)
    assert page.notes == ["An email is on its way to ana@new.example. Open its link, and the address is changed."]
    assert page.texts("p", "facts-line") == ["ana@guest.example"]
    path = last_link(mailing)
    reader = Visitor(mailing)
    for _ in range(2):
        lead = reader.get(path).texts("p", "lead")
        assert lead == ["From now on you sign in as ana@new.example, no longer as ana@guest.example."]
    assert reader.answer is not None
    assert reader.answer.headers["Referrer-Policy"] == "no-referrer"
    assert reader.go(path) == "/account"
    assert ana.get("/account").texts("p", "facts-line") == ["ana@new.example"]
    reader.get(path, 404)
    Visitor(mailing).go("/sign-in", email="ana@new.example", password=PASSWORD)


def test_verification_link_works_in_a_signed_in_browser(ana: Visitor, mailing: Flask) -> None:
    ana.go("/account/address", email="ana@new.example", password=PASSWORD)
    assert ana.follow(last_link(mailing)).notes[-1] == "Your address is now ana@new.example."


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        (
            {"email": "nonsense", "password": ""},
            ["Enter an email address, like name@example.com.", "Enter your password."],
        ),
        ({"email": "bo@guest.example", "password": "wrong"}, ["This is not your password."]),
        (
            {"email": "owner@acme.example", "password": PASSWORD},
            ["There is already an account for owner@acme.example."],
        ),
    ],
)
def test_invalid_address_is_shown_at_its_field(typed: dict[str, str], errors: list[str], ana: Visitor) -> None:
    page = ana.submit("/account/address", **typed)
    assert page.errors == page.summary == errors
    assert page.value("email") == typed["email"]
    assert page.value("password") == ""


def test_address_taken_meanwhile_stays_with_its_account(ana: Visitor, mailing: Flask) -> None:
    ana.go("/account/address", email="ana@new.example", password=PASSWORD)
    path = last_link(mailing)
    with mailing.app_context():
        make_person("ana@new.example")
    page = ana.submit(path, status=404)
    assert page.texts("p", "lead") == ["Another account has this address by now, so yours keeps its old one."]


def test_without_a_mail_server_the_page_explains(acme: Acme, owner: Visitor) -> None:
    page = owner.get("/account/address")
    assert page.notes == ["No mail server is set, so no link can be mailed. Whoever runs this server can set one."]
    assert not page.all("input", name="email")


# --- password ---


def test_new_password_ends_all_other_sessions(acme: Acme, owner: Visitor, visit: Visit) -> None:
    elsewhere = visit(acme.owner)
    page = owner.follow("/account/password", password=PASSWORD, new_password=NEW)
    assert page.notes == ["Password changed. You are signed out everywhere else."]
    elsewhere.get("/account", 303)
    owner.get("/account")
    visit().submit("/sign-in", email=acme.owner.email, password=PASSWORD)
    visit().sign_in(acme.owner, NEW)


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        (("", ""), ["Enter your present password.", "Use at least 12 characters. A few words in a row work well."]),
        ((PASSWORD, "short"), ["Use at least 12 characters. A few words in a row work well."]),
        ((PASSWORD, "aaaaaaaaaaaaaa"), [f"{passwords.WEAK} {passwords.ADVICE}"]),
        (("wrong", NEW), ["This is not your password."]),
    ],
)
def test_weak_password_is_shown_at_its_field(
    typed: tuple[str, str], errors: list[str], acme: Acme, owner: Visitor
) -> None:
    page = owner.submit("/account/password", password=typed[0], new_password=typed[1])
    assert page.errors == page.summary == errors
    assert page.value("password") == page.value("new_password") == "", "passwords are not sent back"


def test_account_without_password_sets_one_by_mail(app: Flask, visit: Visit) -> None:
    with app.app_context():
        person = make_person("ana@guest.example", has_password=False)
        path = f"/sign-in/{accounts.create_sign_in_link(person.email)}"
    visitor = visit()
    visitor.go(path)
    page = visitor.get("/account/password")
    assert page.texts("h1") == ["Choose a password"]
    assert "/forgot" in page.links


# --- sessions ---


def test_other_sessions_can_be_ended_separately(acme: Acme, owner: Visitor, visit: Visit) -> None:
    elsewhere = visit(None, headers={"User-Agent": FIREFOX}).sign_in(acme.owner)
    third = visit(acme.owner)
    page = owner.get("/account")
    assert "Firefox on Windows" in page.texts("b")
    paths = [
        form.attributes["action"] for form in page.all("form") if form.attributes.get("action", "").endswith("/end")
    ]
    assert len(paths) == 2
    ended = [owner.follow(path, page="/account").notes[0] for path in paths]
    assert "Firefox on Windows is signed out." in ended
    for visitor in (elsewhere, third):
        visitor.get("/account", 303)
    owner.get("/account")


def test_all_other_sessions_can_be_ended(acme: Acme, owner: Visitor, visit: Visit) -> None:
    assert "Sign out everywhere else" not in owner.get("/account").texts("button")
    elsewhere = [visit(acme.owner) for _ in range(12)]
    page = owner.get("/account")
    assert "And in 3 more browsers." in page.texts("li")
    page = owner.follow("/account/sessions/end-others", page="/account")
    assert page.notes == ["You are signed out everywhere else."]
    for visitor in elsewhere:
        visitor.get("/account", 303)


def test_session_of_another_account_cannot_be_ended(acme: Acme, owner: Visitor, visit: Visit) -> None:
    visit(acme.owner)
    page = owner.get("/account")
    (path,) = [
        one.attributes["action"] for one in page.all("form") if one.attributes.get("action", "").endswith("/end")
    ]
    visit(acme.member).submit(path, page="/account", status=404)
    owner.submit("/account/sessions/nonsense/end", page="/account", status=404)


def test_no_page_contains_a_session_secret(acme: Acme, owner: Visitor, visit: Visit) -> None:
    other = visit(acme.owner)
    with other.client.session_transaction() as cookie:
        secret = cookie["_user_id"]
    owner.get("/account")
    assert owner.answer is not None
    assert secret not in owner.answer.text


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Macintosh) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Mac"),
        ("Mozilla/5.0 (iPhone; like Mac OS X) Version/18 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("something on Linux", "A browser on Linux"),
        ("curl/8", "An unknown browser"),
        (None, "An unknown browser"),
    ],
)
def test_browsers_are_recognized(user_agent: str | None, name: str) -> None:
    assert user_agents.name(user_agent) == name


# --- organizations ---


def test_organizations_are_listed_with_role_and_leave_link(
    app: Flask, acme: Acme, globex: Acme, visit: Visit
) -> None:
    with app.app_context():
        add_member(globex, acme.owner)
    visitor = visit(acme.owner)
    page = visitor.get("/account")
    assert [text.split(" · ")[0] for text in page.texts("small")][-2:] == ["Owner", "Member"]
    leave = f"/organizations/{globex.id}/leave"
    assert leave in page.links
    visitor.go(leave)
    assert leave not in visitor.get("/account").links


def test_layout_stays_in_the_open_organization(app: Flask, acme: Acme, globex: Acme, visit: Visit) -> None:
    with app.app_context():
        add_member(globex, acme.owner)
    visitor = visit(acme.owner)
    for organization in (globex, acme, globex):
        home = f"/organizations/{organization.id}/"
        visitor.get(home)
        assert urlsplit(visitor.client.get("/").location).path == home
        page = visitor.get("/account")
        current = [tag for tag in page.all("a") if tag.attributes.get("aria-current") == "true"]
        assert [tag.attributes["href"] for tag in current] == [home]


def test_account_without_an_organization_has_a_page(app: Flask, visit: Visit) -> None:
    with app.app_context():
        loner: Person = make_person("loner@nowhere.example")
    page = visit(loner).get("/account")
    assert "No organization yet" in page.texts("h2")
