"""Names and notes that contain HTML or links."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.factories import (
    Acme,
    invite,
    make_member,
    make_role,
)
from tests.support.visitor import Visitor


@pytest.fixture
def home(acme: Acme) -> str:
    return f"/organizations/{acme.id}"


def test_hostile_names_and_notes_stay_text(app: Flask, acme: Acme, home: str, visit: Callable[..., Visitor]) -> None:
    evil = "<script>alert(1)</script>\"'{{7*7}}"
    with app.app_context():
        make_role(acme, "<b>Boss</b>", ["members:read"])
        boss = make_member(
            acme, "boss@acme.example", role="owner", given_name=evil, family_name="<img src=x onerror=y>"
        )
        invitation = invite(
            acme,
            by=boss.actor,
            role="<b>Boss</b>",
            given_name=evil,
            family_name="https://evil.example",
            note=f"{evil}\nhttps://evil.example/click",
        )
    visitor = visit(boss)
    visitor.follow(f"{home}/workspaces/new", name="<i>room</i>")
    for path in ("/", "/members", "/workspaces", "/invitations", "/invitations/new", f"/invitations/{invitation.id}"):
        page = visitor.get(f"{home}{path}")
        assert visitor.answer is not None
        assert "<script>alert" not in visitor.answer.text
        assert not page.all("img")
        assert not [link for link in page.links if "evil.example" in link]
    assert evil in visitor.get(f"{home}/members?q=%3Cscript").texts("a", "who-name")[0]
    page = visitor.submit(f"{home}/invitations/new", email='"><script>alert(1)</script>', given_name=evil)
    assert page.value("given_name") == evil
