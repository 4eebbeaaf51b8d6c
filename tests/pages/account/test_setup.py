"""Creating the first organization of a server."""

from collections.abc import Callable

import pytest
from flask import Flask

from invite_app import tokens
from tests.support.factories import Acme
from tests.support.visitor import Visitor

TYPED = {
    "name": "Northwind Research",
    "plan": "paid",
    "given_name": "Ada",
    "family_name": "Lindqvist",
    "email": "ada@northwind.example",
    "password": "a few words in a row",
}


@pytest.fixture
def link(app: Flask) -> str:
    with app.app_context():
        return f"/setup?token={tokens.setup_token()}"


def test_without_its_token_it_only_explains(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    assert visitor.client.get("/").location == "/setup"
    for path, status in (("/setup", 200), ("/setup?token=wrong", 404), ("/setup/wrong", 404)):
        page = visitor.get(path, status)
        assert page.texts("code") == ["flask setup-link"]
        assert not page.all("form")


def test_founder_is_signed_in_and_sees_the_overview(link: str, visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    page = visitor.get(link)
    assert [one.attributes["value"] for one in page.all("input", type="radio") if "checked" in one.attributes] == [
        "paid"
    ]
    page = visitor.follow(link, **TYPED)
    assert page.texts("h1") == ["Overview"]
    assert page.texts("p", "facts-line") == ["1 member · 0 invited and not in yet"]


def test_path_may_contain_the_token(link: str, visit: Callable[..., Visitor]) -> None:
    visit().get(link.replace("?token=", "/"))


def test_all_errors_are_shown_together_keeping_input(link: str, visit: Callable[..., Visitor]) -> None:
    wrong = {**TYPED, "name": "  ", "email": "ada@", "password": "short", "plan": "free"}
    page = visit().submit(link, **wrong)
    assert page.errors == page.summary
    assert page.errors == [
        "Enter a name for the organization.",
        "Enter an email address, like name@example.com.",
        "Use at least 12 characters. A few words in a row work well.",
    ]
    assert page.value("email") == "ada@"
    assert page.value("given_name") == "Ada"
    assert page.value("password") == ""


def test_it_works_once(link: str, acme: Acme, visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    for path in ("/setup", link):
        page = visitor.get(path)
        assert page.texts("h1") == ["Already set up"]
        assert "/sign-in" in page.links
    assert visitor.submit(link, page="/sign-in", status=200, **TYPED).texts("h1") == ["Already set up"]
