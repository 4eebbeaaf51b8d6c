"""Resetting a forgotten password: the form, its response, and the link."""

import re
from collections.abc import Callable

import pytest
import time_machine
from flask import Flask

from invite_app.models.types import now
from invite_app.services import accounts, api_keys, delivery
from invite_app.services.accounts import Purpose, links
from invite_app.worker.sender import OutboxSender
from tests.support.factories import OPERATOR, PASSWORD, Acme, make_api_key, make_link
from tests.support.mail import SmtpServer
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]
NEW = "a phrase that nobody knows"


@pytest.fixture
def mailing(make_app: Callable[..., Flask], smtp: SmtpServer) -> Flask:
    """Return the application with a mail server."""
    return make_app(**smtp.environ)


@pytest.fixture
def link(mailing: Flask, acme: Acme, smtp: SmtpServer) -> str:
    """Return the path in the mail to the owner."""
    Visitor(mailing).go("/forgot", email=acme.owner.email)
    with mailing.app_context():
        assert OutboxSender(mailing).run_once() == 1
    (mail,) = smtp.to(acme.owner.email)
    assert mail.subject == "Choose a new password"
    return mail.links[0].removeprefix("http://localhost")


def choose(app: Flask, path: str, password: str = NEW) -> Visitor:
    visitor = Visitor(app)
    assert visitor.go(path, password=password) == "/"
    return visitor


@pytest.mark.parametrize("address", ["owner@acme.example", "OWNER@acme.example ", "nobody@acme.example"])
def test_response_reveals_nothing_about_the_account(address: str, mailing: Flask, acme: Acme) -> None:
    visitor = Visitor(mailing)
    page = visitor.follow("/forgot", email=address)
    assert page.texts("p", "lead") == ["If that address has an account, an email is on its way."]
    assert visitor.answer is not None
    assert address.strip() not in visitor.answer.text


def test_invalid_address_is_shown_at_the_field(mailing: Flask) -> None:
    page = Visitor(mailing).submit("/forgot", email="nonsense")
    assert page.errors == page.summary == ["Enter an email address, like name@example.com."]
    assert page.value("email") == "nonsense"


def test_unknown_address_gets_no_mail(mailing: Flask, acme: Acme, smtp: SmtpServer) -> None:
    Visitor(mailing).go("/forgot", email="nobody@acme.example")
    with mailing.app_context():
        assert delivery.claim(10) == []


def test_link_opens_a_form_that_signs_in(mailing: Flask, acme: Acme, link: str, visit: Visit) -> None:
    elsewhere = visit(acme.owner)
    visitor = Visitor(mailing)
    page = visitor.get(link)
    assert page.texts("p", "lead") == ["For owner@acme.example. You are signed out everywhere else."]
    assert visitor.answer is not None
    assert visitor.answer.headers["Referrer-Policy"] == "no-referrer"
    assert visitor.answer.headers["Cache-Control"] == "no-store"
    assert visitor.go(link, password=NEW) == "/"
    home = visitor.client.get("/").location
    assert visitor.get(home).notes == ["Password changed. You are signed out everywhere else."]
    elsewhere.get(home, 303)
    visit().submit("/sign-in", email=acme.owner.email, password=PASSWORD)
    visit().sign_in(acme.owner, NEW)


def test_weak_password_leaves_the_link_usable(mailing: Flask, link: str) -> None:
    visitor = Visitor(mailing)
    page = visitor.submit(link, password="short")
    assert page.errors == page.summary == ["Use at least 12 characters. A few words in a row work well."]
    assert visitor.go(link, password=NEW) == "/"


def broken(app: Flask, path: str) -> None:
    visitor = Visitor(app)
    for page in (visitor.get(path, 404), visitor.submit(path, page="/forgot", status=404, password=NEW)):
        assert page.texts("h1") == ["This link does not work"]
        assert "/forgot" in page.links


def test_link_works_once(mailing: Flask, link: str) -> None:
    choose(mailing, link)
    broken(mailing, link)


def test_link_expires_after_an_hour(mailing: Flask, link: str) -> None:
    with time_machine.travel(now() + links.LINK_LIFETIMES[Purpose.RESET]):
        broken(mailing, link)


def test_changed_password_invalidates_the_link(mailing: Flask, acme: Acme, link: str) -> None:
    with mailing.app_context():
        accounts.change_password(acme.owner.id, old=PASSWORD, new=NEW, keep_session=None)
    broken(mailing, link)


@pytest.mark.parametrize("token", ["x", "%20", "a" * 50, "../account"])
def test_invalid_link_does_nothing(token: str, mailing: Flask) -> None:
    Visitor(mailing).get(f"/reset/{token}", 404)


def test_link_replaces_another_persons_session(mailing: Flask, acme: Acme, link: str) -> None:
    visitor = Visitor(mailing).sign_in(acme.member)
    visitor.go(link, password=NEW)
    assert visitor.get("/account").texts("p", "facts-line") == [acme.owner.email]


def test_rate_limit_is_explained(make_app: Callable[..., Flask], smtp: SmtpServer, acme: Acme) -> None:
    visitor = Visitor(make_app(**smtp.environ, INVITE_RATE_LIMITS="on"))
    for _ in range(3):
        visitor.go("/forgot", email="nobody@acme.example")
    page = visitor.submit("/forgot", status=429, email="nobody@acme.example")
    assert re.fullmatch(
        r"Too many requests for a new password\. Try again (at|on .+ at) \d\d:\d\d UTC\.", page.summary[0]
    )
    assert page.value("email") == "nobody@acme.example"


def test_without_a_mail_server_the_operator_can_help(acme: Acme, visit: Visit) -> None:
    visitor = visit()
    assert "/forgot" in visitor.get("/sign-in").links
    page = visitor.get("/forgot")
    assert page.texts("code") == ["flask user sign-in-link name@example.com"]
    assert not page.all("input", name="email")


def test_reset_page_asks_about_api_keys(app: Flask, acme: Acme) -> None:
    with app.app_context():
        make_api_key(acme), make_api_key(acme, role="member")
        path, other = (f"/reset/{make_link(person, Purpose.RESET)}" for person in (acme.owner, acme.admin))
    page = Visitor(app).get(path)
    hint = "You have 2 API keys. Programs that use revoked keys stop working."
    assert hint in page.texts("p")
    assert not Visitor(app).get(other).all("input", name="end_api_keys")
    assert Visitor(app).go(path, password=NEW, end_api_keys="y") == "/"
    with app.app_context():
        assert api_keys.list_all(acme.id, by=OPERATOR) == []
