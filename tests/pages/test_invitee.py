"""The invitee's pages, for every visitor and every state of the invitation."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from invite_app.services import accounts, invitations, members
from tests.support.factories import (
    OPERATOR,
    PASSWORD,
    Acme,
    Person,
    configure,
    expire,
    invite,
    make_person,
    token_of,
)
from tests.support.visitor import Visitor

NEW = {"given_name": "Ana", "family_name": "Sousa", "password": "a few words in a row"}


@pytest.fixture
def offer(app: Flask, acme: Acme) -> Callable[..., str]:
    """Return the path of a new invitation's link."""

    def offer(email: str = "ana@guest.example", *, copied: bool = False, **draft: Any) -> str:
        with app.app_context():
            return f"/invitations/{token_of(invite(acme, email, **draft), copied=copied)}"

    return offer


@pytest.fixture
def ana(app: Flask) -> Person:
    with app.app_context():
        return make_person("ana@guest.example")


def emails(app: Flask, acme: Acme) -> list[str]:
    with app.app_context():
        return [member.user.email for member in members.list_page(acme.id, by=OPERATOR).items]


def test_new_person_sets_a_password_and_joins(
    app: Flask, acme: Acme, offer: Callable[..., str], visit: Callable[..., Visitor]
) -> None:
    visitor = visit()
    path = offer(
        given_name="Ana", family_name="Sousa", note="Start with the folder.", workspace_ids=acme.workspaces[:1]
    )
    page = visitor.get(path)
    assert page.texts("h1") == ["Olivia Owner invites you to join Acme"]
    assert page.texts("dd") == [
        "ana@guest.example",
        "Member: see members",
        "Sales",
        "“Start with the folder.”",
    ]
    assert (page.value("given_name"), page.value("family_name")) == ("Ana", "Sousa")
    page = visitor.follow(path, **NEW)
    assert page.texts("h1") == ["Overview"]
    assert "ana@guest.example" in emails(app, acme)
    assert visitor.get(path).texts("h1") == ["You are already in"]
    assert visit().get(path, 410).texts("h1") == ["This invitation has been used"]


def test_errors_are_shown_at_their_fields(
    app: Flask, acme: Acme, offer: Callable[..., str], visit: Callable[..., Visitor]
) -> None:
    page = visit().submit(offer(), given_name="Ana", family_name="", password="short")
    assert page.errors == ["Enter a family name.", "Use at least 12 characters. A few words in a row work well."]
    assert page.value("given_name") == "Ana"
    assert "ana@guest.example" not in emails(app, acme)


def test_token_waits_in_the_session_during_sign_in(
    app: Flask, acme: Acme, ana: Person, offer: Callable[..., str], visit: Callable[..., Visitor]
) -> None:
    visitor, path = visit(), offer()
    assert not visitor.get(path).all("input", type="password")
    assert visitor.go(f"{path}/sign-in", page=path) == "/sign-in"
    page = visitor.get("/sign-in")
    assert page.value("email") == ana.email
    assert path.rpartition("/")[2] not in str(page)
    visitor.submit("/sign-in", email=ana.email, password="wrong")
    assert visitor.go("/sign-in", email=ana.email, password=PASSWORD) == path
    visitor.follow(path)
    assert ana.email in emails(app, acme)


def shown(visitor: Visitor, path: str) -> str:
    """Return the page without the parts that differ between requests."""
    visitor.get(path)
    assert visitor.answer is not None
    return re.sub(r'name="csrf_token" value="[^"]+"', "", visitor.answer.text)


def test_copied_link_shows_the_same_page(
    app: Flask, offer: Callable[..., str], visit: Callable[..., Visitor]
) -> None:
    path = offer(copied=True)
    before = shown(visit(), path)
    with app.app_context():
        make_person("ana@guest.example")
    assert shown(visit(), path) == before


def test_copied_link_sends_account_holders_to_sign_in(
    app: Flask, acme: Acme, ana: Person, offer: Callable[..., str], visit: Callable[..., Visitor]
) -> None:
    visitor, path = visit(), offer(copied=True)
    assert visitor.submit(path, **{**NEW, "password": "short"}).errors
    page = visitor.follow(path, **NEW)
    assert page.notes == ["There is an account for ana@guest.example. Sign in to accept."]
    assert visitor.go(f"{path}/sign-in", page=path) == "/sign-in"
    assert visitor.go("/sign-in", email=ana.email, password=PASSWORD) == path
    visitor.follow(path)
    assert ana.email in emails(app, acme)


def test_copied_link_can_create_an_account(
    app: Flask, acme: Acme, offer: Callable[..., str], visit: Callable[..., Visitor]
) -> None:
    visitor, path = visit(), offer(copied=True)
    assert "Sign in to accept" in visitor.get(path).texts("button")
    visitor.follow(path, **NEW)
    assert "ana@guest.example" in emails(app, acme)


def test_wrong_account_sees_both_addresses_and_consumes_nothing(
    app: Flask, acme: Acme, offer: Callable[..., str], visit: Callable[..., Visitor]
) -> None:
    visitor, path = visit(acme.member), offer()
    page = visitor.get(path)
    assert page.texts("h1") == ["This invitation is for another address"]
    assert page.texts("b") == ["ana@guest.example", "member@acme.example"]
    assert visitor.go(path, **NEW) == path
    assert visitor.go(f"{path}/sign-out", page=path) == path
    assert visitor.get(path).all("input", type="password")
    with visitor.client.session_transaction() as session:
        assert "_user_id" not in session
    visitor.go(path, **NEW)


def test_declining_takes_a_message_and_a_click(
    app: Flask, acme: Acme, offer: Callable[..., str], visit: Callable[..., Visitor]
) -> None:
    visitor, path = visit(), offer()
    visitor.get(f"{path}/decline")
    assert visitor.submit(f"{path}/decline", word="x" * 1001).errors == ["Use at most 1,000 characters."]
    assert visitor.go(f"{path}/decline", word="I am leaving.") == path
    assert visitor.get(path, 410).texts("h1") == ["You declined"]
    visitor.get(f"{path}/decline", 303)
    [row] = app_rows(app, acme)
    assert row.decline_message == "I am leaving."


def app_rows(app: Flask, acme: Acme) -> list[Any]:
    with app.app_context():
        return invitations.list_page(acme.id, by=OPERATOR).items


def test_closed_invitation_says_why(
    app: Flask, acme: Acme, offer: Callable[..., str], visit: Callable[..., Visitor]
) -> None:
    visitor = visit()
    late, gone = offer("late@guest.example"), offer("gone@guest.example")
    with app.app_context():
        rows = {row.email: row for row in invitations.list_page(acme.id, by=OPERATOR).items}
        expire(rows["late@guest.example"])
        invitations.revoke(acme.id, rows["gone@guest.example"].id, by=OPERATOR)
    assert visitor.get(late, 410).texts("h1")[0].startswith("This invitation ended on ")
    assert visitor.get(gone, 410).texts("h1") == ["This invitation was withdrawn"]
    assert visitor.get("/invitations/nonsense", 404).texts("h1") == ["This link is not complete"]
    assert visitor.submit("/invitations/nonsense", page="/sign-in", status=404, **NEW).texts("h1")
    assert visitor.get(late[:-4], 404).texts("h1") == ["This link is not complete"]
    for path in (late, gone):
        assert visitor.go(path, page="/sign-in", **NEW) == path


def test_problems_only_admins_can_fix_are_shown(
    app: Flask, acme: Acme, offer: Callable[..., str], visit: Callable[..., Visitor]
) -> None:
    visitor, path = visit(), offer()
    token = visitor.token(path)
    with app.app_context():
        configure(acme, seat_limit=3)
    assert visitor.get(path, 409).texts("h1") == ["This invitation cannot be accepted right now"]
    answer = visitor.client.post(path, data={**NEW, "csrf_token": token})
    assert answer.status_code == 409
    with app.app_context():
        configure(acme, seat_limit=4)
    visitor.go(path, **NEW)


def test_inviter_without_permission_blocks_acceptance(
    app: Flask, acme: Acme, offer: Callable[..., str], visit: Callable[..., Visitor]
) -> None:
    path = offer(by=acme.admin.actor)
    with app.app_context():
        members.change_role(acme.id, acme.admin.id, "member", by=OPERATOR)
    visit().get(path, 409)


def test_unverified_account_needs_the_mailed_link(
    app: Flask, acme: Acme, offer: Callable[..., str], visit: Callable[..., Visitor]
) -> None:
    with app.app_context():
        unproven = make_person("eve@guest.example", is_verified=False)
    mailed, visitor = offer("eve@guest.example"), visit(unproven)
    with app.app_context():
        [row] = invitations.list_page(acme.id, by=OPERATOR).items
        copied = f"/invitations/{token_of(row, copied=True)}"
    page = visitor.submit(copied, status=409)
    assert page.texts("h1") == ["Open the link in the email"]
    visitor.go(mailed)


def test_member_who_accepts_again_is_redirected(
    app: Flask, acme: Acme, ana: Person, offer: Callable[..., str], visit: Callable[..., Visitor]
) -> None:
    visitor, path = visit(ana), offer()
    with app.app_context():
        invitations.accept_with_account(path.rpartition("/")[2], ana.id)
    assert visitor.go(path, page="/", **NEW) == path
    assert visitor.get(path).texts("h1") == ["You are already in"]


class TestWithARedirect:
    TARGET = "https://app.example.com/welcome?from=mail"

    @pytest.fixture
    def path(self, app: Flask, acme: Acme, offer: Callable[..., str]) -> str:
        with app.app_context():
            configure(acme, allowed_origins=["https://app.example.com"])
        return offer(redirect_uri=self.TARGET)

    def test_redirect_is_followed_and_allowed_by_policy(self, path: str, visit: Callable[..., Visitor]) -> None:
        visitor = visit()
        visitor.get(path)
        assert visitor.answer is not None
        policy = visitor.answer.headers["Content-Security-Policy"]
        assert "form-action 'self' https://app.example.com;" in policy
        assert visitor.go(path, **NEW) == self.TARGET

    def test_redirect_to_removed_origin_is_not_followed(
        self, app: Flask, acme: Acme, path: str, visit: Callable[..., Visitor]
    ) -> None:
        with app.app_context():
            configure(acme, allowed_origins=[])
        visitor = visit()
        visitor.get(path)
        assert visitor.answer is not None
        assert "form-action 'self';" in visitor.answer.headers["Content-Security-Policy"]
        assert visitor.go(path, **NEW) == f"/organizations/{acme.id}/"


def test_app_link_redirects_here(offer: Callable[..., str], visit: Callable[..., Visitor]) -> None:
    path = offer()
    answer = visit().client.get(f"/auth?inv_code={path.rpartition('/')[2]}&redirect_uri=https://evil.example")
    assert (answer.status_code, answer.location) == (302, path)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert visit().client.get("/auth").status_code == 302


def test_link_is_in_no_referrer_or_cache(offer: Callable[..., str], visit: Callable[..., Visitor]) -> None:
    visitor, path = visit(), offer()
    for page in (path, f"{path}/decline"):
        visitor.get(page)
        assert visitor.answer is not None
        assert visitor.answer.headers["Referrer-Policy"] == "no-referrer"
        assert visitor.answer.headers["Cache-Control"] == "no-store"


def test_accepting_starts_a_new_session(
    app: Flask, ana: Person, offer: Callable[..., str], visit: Callable[..., Visitor]
) -> None:
    visitor, path = visit(ana), offer()
    with visitor.client.session_transaction() as session:
        before = session["_user_id"]
    visitor.go(path)
    with app.app_context():
        assert accounts.find_session(before) is None


def test_link_works_once(app: Flask, offer: Callable[..., str], visit: Callable[..., Visitor]) -> None:
    first, second, path = visit(), visit(), offer()
    token = second.token(path)
    first.go(path, **NEW)
    answer = second.client.post(path, data={**NEW, "csrf_token": token})
    assert (answer.status_code, answer.location) == (303, path)
    with second.client.session_transaction() as session:
        assert "_user_id" not in session


def test_domain_no_longer_allowed_needs_another_address(
    app: Flask, acme: Acme, offer: Callable[..., str], visit: Callable[..., Visitor]
) -> None:
    visitor, path = visit(), offer()
    token = visitor.token(path)
    with app.app_context():
        configure(acme, allowed_domains=["acme.example", "acme.test"])
    page = visitor.get(path, 409)
    assert page.texts("h1") == ["This address can't be used anymore"]
    lead = "Acme now only accepts addresses at acme.example or acme.test. Ask Olivia Owner to invite you"
    assert any(lead in text for text in page.texts("p"))
    answer = visitor.client.post(path, data={**NEW, "csrf_token": token})
    assert (answer.status_code, "This address can't be used anymore" in answer.text) == (409, True)
    assert "ana@guest.example" not in emails(app, acme)
