"""Exporting one's own data and deleting the account."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask

from invite_app.db import session
from invite_app.models import User
from invite_app.services import accounts
from tests.support.factories import PASSWORD, Acme, Person, make_person
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]


def test_account_page_offers_both(acme: Acme, owner: Visitor) -> None:
    assert {"/account/data", "/account/delete"} <= set(owner.get("/account").links)


def test_data_is_downloaded_after_the_password(acme: Acme, owner: Visitor) -> None:
    page = owner.submit("/account/data", password="wrong")
    assert page.errors == page.summary == ["This is not your password."]
    assert owner.submit("/account/data", password="").errors == ["Enter your password."]
    answer = owner.post("/account/data", password=PASSWORD)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="account-data.json"'
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert answer.json is not None
    assert answer.json["account"]["email"] == acme.owner.email


def test_account_is_deleted_after_the_password(app: Flask, acme: Acme, visit: Visit) -> None:
    visitor, elsewhere = visit(acme.member), visit(acme.member)
    assert visitor.submit("/account/delete", password="wrong").errors == ["This is not your password."]
    page = visitor.follow("/account/delete", password=PASSWORD)
    assert page.notes == ["Your account was deleted."]
    for browser in (visitor, elsewhere):
        browser.get("/account", 303)
    assert visit().submit("/sign-in", email=acme.member.email, password=PASSWORD).summary
    with app.app_context():
        assert session().get(User, acme.member.id) is None


def test_sole_owner_sees_what_to_do_first(app: Flask, acme: Acme, owner: Visitor) -> None:
    page = owner.get("/account/delete")
    assert not page.all("input", name="password")
    assert f"/organizations/{acme.id}/members" in page.links
    page = owner.submit("/account/delete", page="/account", password=PASSWORD)
    with app.app_context():
        assert session().get(User, acme.owner.id)


@pytest.mark.parametrize("path", ["/account/data", "/account/delete"])
def test_account_without_password_sets_one_first(path: str, app: Flask, visit: Visit) -> None:
    with app.app_context():
        person: Person = make_person("ana@guest.example", has_password=False)
        link = f"/sign-in/{accounts.create_sign_in_link(person.email)}"
    visitor = visit()
    visitor.go(link)
    page = visitor.get(path)
    assert not page.all("input", name="password")
    assert "/account/password" in page.links


@pytest.mark.parametrize("path", ["/account/data", "/account/delete"])
def test_strangers_are_redirected_to_sign_in(path: str, visit: Visit) -> None:
    stranger = visit()
    stranger.get(path, 303)
    assert stranger.answer is not None
    assert urlsplit(stranger.answer.location).path == "/sign-in"
