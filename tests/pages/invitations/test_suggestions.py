"""A probably mistyped address is asked about once, and never refused."""

import pytest
from flask import Flask
from sqlalchemy import select

from invite_app.db import session
from invite_app.models import Invitation
from tests.support.factories import Acme
from tests.support.visitor import Visitor

TYPED = {"given_name": "Ana", "family_name": "Sousa", "email": "ana@acme.exampel", "role": "member"}


@pytest.fixture
def path(acme: Acme) -> str:
    return f"/organizations/{acme.id}/invitations/new"


def invited(app: Flask) -> list[str]:
    with app.app_context():
        return list(session().scalars(select(Invitation.email)))


def test_question_names_the_probable_address(app: Flask, owner: Visitor, path: str) -> None:
    page = owner.submit(path, status=200, **TYPED)
    assert "Did you mean ana@acme.example? 3 members use that domain." in page.texts("p", "guess-text")[0]
    assert page.value("email") == TYPED["email"]
    assert not invited(app)


@pytest.mark.parametrize(
    ("answer", "address"),
    [
        ({}, "ana@acme.exampel"),
        ({"keep": "1"}, "ana@acme.exampel"),
        ({"meant": "ana@acme.example"}, "ana@acme.example"),
    ],
    ids=["sent again", "kept", "corrected"],
)
def test_every_answer_is_accepted(
    answer: dict[str, str], address: str, app: Flask, owner: Visitor, path: str
) -> None:
    asked = owner.submit(path, status=200, **TYPED).value("asked")
    owner.go(path, **TYPED, asked=asked, **answer)
    assert invited(app) == [address]


def test_another_typo_is_another_question(app: Flask, owner: Visitor, path: str) -> None:
    page = owner.submit(path, status=200, **{**TYPED, "asked": TYPED["email"], "email": "ana@gmial.com"})
    assert "Use gmail.com" in page.texts("button")
    assert not invited(app)


def test_errors_and_question_are_shown_together(owner: Visitor, path: str) -> None:
    page = owner.submit(path, **{**TYPED, "family_name": ""})
    assert page.errors == ["Enter a family name."]
    assert "Keep as typed" in page.texts("button")


def test_correct_address_raises_no_question(app: Flask, owner: Visitor, path: str) -> None:
    owner.go(path, **{**TYPED, "email": "ana@gmail.com"})
    assert invited(app) == ["ana@gmail.com"]


def test_question_while_typing_persists_and_sends_nothing(app: Flask, owner: Visitor, path: str) -> None:
    page = owner.submit(path, status=200, **TYPED, preview="1")
    assert "Did you mean ana@acme.example?" in page.texts("p", "guess-text")[0]
    [question] = page.all("div", id="guess")
    assert "hx-swap-oob" in question.attributes
    page = owner.submit(path, status=200, **TYPED, preview="1", asked=TYPED["email"])
    assert page.texts("p", "guess-text"), "as long as nobody has answered"
    assert "hx-swap-oob" not in page.all("div", id="guess")[0].attributes, (
        "what has not changed is not read out again"
    )
    page = owner.submit(path, status=200, **TYPED, preview="1", asked=TYPED["email"], kept=TYPED["email"])
    assert not page.texts("p", "guess-text")
    owner.go(path, **TYPED, kept=TYPED["email"])
    assert invited(app) == [TYPED["email"]]
