"""Leaving an organization."""

from collections.abc import Callable

import pytest

from tests.support.factories import (
    Acme,
)
from tests.support.visitor import Visitor


@pytest.fixture
def home(acme: Acme) -> str:
    return f"/organizations/{acme.id}"


def test_leaving_ends_membership_but_last_owner_stays(
    home: str, acme: Acme, owner: Visitor, visit: Callable[..., Visitor]
) -> None:
    assert owner.follow(f"{home}/leave").notes[0].startswith("The last owner cannot leave")
    member = visit(acme.member)
    page = member.follow(f"{home}/leave")
    assert page.texts("h1") == ["No organization yet"]
    assert page.notes == ["You left Acme."]
    member.get(f"{home}/", 404)
