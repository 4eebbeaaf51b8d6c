"""The list of members: search and pages."""

import pytest
from flask import Flask

from tests.support.factories import (
    Acme,
    make_member,
)
from tests.support.visitor import Visitor


@pytest.fixture
def home(acme: Acme) -> str:
    return f"/organizations/{acme.id}"


def test_members_are_listed_and_found(home: str, owner: Visitor) -> None:
    page = owner.get(f"{home}/members")
    assert page.texts("a", "who-name") == ["Adam Admin", "Mia Member", "Olivia Owner"]
    assert owner.get(f"{home}/members?q=mia").texts("a", "who-name") == ["Mia Member"]
    assert "No member matches “zoe”" in owner.get(f"{home}/members?q=zoe").texts("h2")


def test_many_members_have_pages(app: Flask, acme: Acme, home: str, owner: Visitor) -> None:
    with app.app_context():
        for number in range(24):
            make_member(acme, f"m{number}@acme.example", given_name="Zed", family_name=f"{number:02}")
    [following] = [tag.attributes["href"] for tag in owner.get(f"{home}/members").all("a", rel="next")]
    assert len(owner.get(following).texts("a", "who-name")) == 2
