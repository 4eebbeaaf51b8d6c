"""Ownership transfer: offered by the owner, accepted on the other's overview, with no change before."""

from collections.abc import Callable

import pytest
from flask import Flask

from invite_app.services import members
from invite_app.services.members import queries
from tests.support.factories import Acme, make_member
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]


@pytest.fixture
def home(app: Flask, acme: Acme) -> str:
    """Return the overview of an organization whose owner has offered it to its member."""
    with app.app_context():
        members.offer_transfer(acme.id, acme.member.id, by=acme.owner.actor)
    return f"/organizations/{acme.id}/"


def roles_of(app: Flask, acme: Acme) -> tuple[str, str]:
    """Return the roles of the owner and of the member."""
    with app.app_context():
        owner, member = (queries.get_in(acme.id, one.id).role.key for one in (acme.owner, acme.member))
        return owner, member


def test_new_owner_can_accept_the_transfer(app: Flask, acme: Acme, home: str, visit: Visit) -> None:
    visitor = visit(acme.member)
    page = visitor.get(home)
    assert "Olivia Owner wants to hand Acme over to you." in page.texts("p", "why-sentence")
    assert {"Become owner", "Decline"} <= set(page.texts("button"))
    assert roles_of(app, acme) == ("owner", "member")
    page = visitor.follow(f"{home}ownership/accept", page=home)
    assert page.notes == ["You are an owner of Acme now."]
    assert not page.texts("p", "why-sentence")
    assert roles_of(app, acme) == ("admin", "owner")
    visit(acme.owner).get(f"{home}settings", 403)


def test_old_owner_sees_and_can_withdraw_the_transfer(app: Flask, acme: Acme, home: str, owner: Visitor) -> None:
    page = owner.get(home)
    assert "Mia Member has not confirmed yet." in page.texts("p", "why-sentence")
    assert "Become owner" not in page.texts("button")
    page = owner.follow(f"{home}ownership/decline", page=home)
    assert page.notes == ["The offer is gone. Nobody's role has changed."]
    assert not page.texts("p", "why-sentence")


def test_declining_changes_no_role(app: Flask, acme: Acme, home: str, owner: Visitor, visit: Visit) -> None:
    visitor = visit(acme.member)
    visitor.go(f"{home}ownership/decline", page=home)
    assert roles_of(app, acme) == ("owner", "member")
    page = visitor.follow(f"{home}ownership/accept", page=home)
    assert page.notes == ["There is no offer to hand over ownership."]
    assert not owner.get(home).texts("p", "why-sentence")


def test_others_neither_see_nor_answer_the_transfer(
    app: Flask, acme: Acme, globex: Acme, home: str, visit: Visit
) -> None:
    admin = visit(acme.admin)
    assert "Become owner" not in admin.get(home).texts("button")
    for answer in ("accept", "decline"):
        page = admin.follow(f"{home}ownership/{answer}", page=home)
        assert page.notes == ["There is no offer to hand over ownership."]
        visit(globex.owner).submit(f"{home}ownership/{answer}", page="/", status=404)
    assert roles_of(app, acme) == ("owner", "member")


def test_old_owner_cannot_answer_for_the_new_one(app: Flask, acme: Acme, home: str, owner: Visitor) -> None:
    assert owner.follow(f"{home}ownership/accept", page=home).notes == ["There is no offer to hand over ownership."]
    assert roles_of(app, acme) == ("owner", "member")


@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_answer_requires_a_csrf_token(answer: str, app: Flask, acme: Acme, home: str, visit: Visit) -> None:
    visitor = visit(acme.member)
    visitor.get(f"{home}ownership/{answer}", 405)
    sent = visitor.client.post(f"{home}ownership/{answer}", headers={"Origin": "https://evil.example"})
    assert sent.status_code == 400
    assert "Become owner" in visitor.get(home).texts("button")


def test_only_owner_must_transfer_before_leaving(acme: Acme, owner: Visitor, visit: Visit) -> None:
    path = f"/organizations/{acme.id}/leave"
    page = owner.get(path)
    assert page.notes == ["You are the only owner. Hand over ownership first."]
    assert "Leave organization" not in page.texts("button")
    page = visit(acme.admin).get(path)
    assert page.notes == []
    assert "Leave organization" in page.texts("button")


def test_one_of_two_owners_may_leave(app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        make_member(acme, "other@acme.example", role="owner")
    path = f"/organizations/{acme.id}/leave"
    assert "Leave organization" in owner.get(path).texts("button")
    assert owner.go(path) == "/"
    assert owner.get("/").texts("h1") == ["No organization yet"]
