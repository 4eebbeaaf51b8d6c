"""Invited people cannot get in, or admins cannot tell why: one test for each cause seen elsewhere (13 to 31)."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from invite_app.db import session
from invite_app.errors import DomainError
from invite_app.models import Invitation, Membership, Organization
from invite_app.models.types import now
from invite_app.services import invitations, members
from invite_app.services.rate_limits import limits, memory
from tests.support.databases import on_sqlite
from tests.support.factories import (
    OPERATOR,
    PASSWORD,
    Acme,
    configure,
    expire,
    invite,
    make_member,
    make_person,
    set_delivery,
    token_of,
)
from tests.support.mail import SmtpServer
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]
Offer = Callable[..., str]
Together = Callable[..., list[Any]]
NEW = {"given_name": "Ana", "family_name": "Sousa", "password": "a few words in a row"}
ANA = invitations.NewProfile("Ana", "Sousa", "a few words in a row")


def emails(app: Flask, acme: Acme) -> set[str]:
    with app.app_context():
        return {one.user.email for one in members.list_all(acme.id, by=OPERATOR)}


@on_sqlite
def test_13_expiry_is_shown(app: Flask, acme: Acme, owner: Visitor, visit: Visit, offer: Offer) -> None:
    path = offer()
    listed = f"/organizations/{acme.id}/invitations"
    assert any("in 7 days" in text for text in owner.get(listed).texts("td"))
    assert "Works until" in visit().client.get(path).text, "for the invitee"
    with time_machine.travel(now() + timedelta(days=8)):
        later = visit(acme.owner)
        assert "Expired" in later.get(f"{listed}?state=expired").texts("span", "badge")
        assert "This invitation ended on" in visit().get(path, 410).texts("h1")[0]


@on_sqlite
def test_14_resending_renews_the_expiry(app: Flask, acme: Acme, visit: Visit, offer: Offer) -> None:
    path = offer()
    with app.app_context():
        sent = session().scalars(select(Invitation.id)).one()
    with time_machine.travel(now() + timedelta(days=6)):
        visit(acme.owner).go(f"/organizations/{acme.id}/invitations/{sent}/resend", page=f"/organizations/{acme.id}/")
    with time_machine.travel(now() + timedelta(days=12)):
        visit().go(path, **NEW)
    assert "ana@guest.example" in emails(app, acme)


@on_sqlite
def test_15_expired_invitation_does_not_block_another(
    app: Flask, acme: Acme, owner: Visitor, call_api: Callable[..., Any]
) -> None:
    fields = {"email": "ana@guest.example", "given_name": "A", "family_name": "B", "role": "member"}
    for _ in range(2):
        with app.app_context():
            for one in session().scalars(select(Invitation.id)).all():
                expire(one)
        owner.go(f"/organizations/{acme.id}/invitations/new", **fields)
        with app.app_context():
            for one in session().scalars(select(Invitation.id).where(Invitation.state == "pending")).all():
                expire(one)
        assert call_api("POST", "/invitation", fields).status_code == 201


@on_sqlite
def test_16_mail_scanners_neither_accept_nor_decline(app: Flask, acme: Acme, visit: Visit, offer: Offer) -> None:
    path, scanner = offer(), visit(headers={"User-Agent": "Mozilla/5.0 (compatible; SafeLinks)"})
    for _ in range(3):
        page = scanner.get(path)
        scanner.head(path)
        for link in page.links:
            scanner.client.get(link)
        scanner.get(f"{path}/decline")
    visit().go(path, **NEW)
    assert "ana@guest.example" in emails(app, acme)


@on_sqlite
def test_17_mail_failures_are_shown(mailing: Flask, smtp: SmtpServer, acme: Acme, app: Flask) -> None:
    owner, form = Visitor(mailing).sign_in(acme.owner), f"/organizations/{acme.id}/invitations/new"
    fields = {"email": "ana@guest.example", "given_name": "A", "family_name": "B", "role": "member"}
    smtp.fail("451 4.3.0 disk full", at="message")
    page = owner.submit(form, status=503, **fields)
    assert "nothing was sent and nothing was kept" in " ".join(page.summary)
    assert page.value("email") == "ana@guest.example"
    smtp.behave()
    owner.go(form, **fields)
    with mailing.app_context():
        set_delivery(session().scalars(select(Invitation.id)).one(), state="failed", reason="mailbox is full")
    listed = owner.get(f"/organizations/{acme.id}/invitations")
    assert "Not delivered" in " ".join(listed.texts("span", "badge"))


@on_sqlite
def test_18_invitations_work_without_a_mail_server(app: Flask, acme: Acme, owner: Visitor, visit: Visit) -> None:
    home = f"/organizations/{acme.id}"
    one = owner.go(
        f"{home}/invitations/new", email="ana@guest.example", given_name="A", family_name="B", role="member"
    )
    assert one.startswith(home)
    with app.app_context():
        sent = session().scalars(select(Invitation.id)).one()
    page = owner.submit(f"{home}/invitations/{sent}/link", status=200)
    link = page.all("input", id="link")[0].attributes["value"]
    visit().go(link.removeprefix("http://localhost"), **NEW)
    assert "ana@guest.example" in emails(app, acme)
    assert owner.get("/outbox").texts("h1") == ["Outbox"]


@on_sqlite
def test_19_link_uses_the_public_address(make_app: Callable[..., Flask], smtp: SmtpServer, acme: Acme) -> None:
    path = f"/organizations/{acme.id}/settings"
    local = Visitor(make_app(**smtp.environ)).sign_in(acme.owner)
    assert "http://localhost" in " ".join(local.get(path).notes)
    public = make_app(**smtp.environ, INVITE_EXTERNAL_URL="http://invite.acme.example")
    page = Visitor(public, base_url="http://invite.acme.example").sign_in(acme.owner).get(path)
    assert "localhost" not in " ".join(page.notes)


@on_sqlite
def test_20_token_survives_signing_in(app: Flask, acme: Acme, visit: Visit, offer: Offer) -> None:
    with app.app_context():
        make_person("ana@guest.example")
    path, visitor = offer(), visit()
    visitor.get(path)
    assert visitor.go(f"{path}/sign-in", page="/sign-in") == "/sign-in"
    visitor.submit("/sign-in", email="ana@guest.example", password="not it")
    assert visitor.go("/sign-in", email="ana@guest.example", password=PASSWORD) == path
    visitor.go(path)
    assert "ana@guest.example" in emails(app, acme)


@on_sqlite
def test_21_wrong_account_does_not_consume_the_link(
    app: Flask, acme: Acme, globex: Acme, visit: Visit, offer: Offer
) -> None:
    path, visitor = offer(), visit(globex.admin)
    visitor.get(path)
    assert visitor.answer is not None
    assert all(address in visitor.answer.text for address in ("ana@guest.example", globex.admin.email))
    visitor.post(path, page="/")
    assert visitor.go(f"{path}/sign-out", page=path) == path
    visitor.go(path, **NEW)
    assert "ana@guest.example" in emails(app, acme)


@on_sqlite
def test_22_case_of_the_address_is_ignored(
    app: Flask, acme: Acme, owner: Visitor, visit: Visit, offer: Offer
) -> None:
    path = offer("Ana.Sousa@Guest.Example")
    again = {"email": "ANA.SOUSA@GUEST.example", "given_name": "A", "family_name": "S", "role": "member"}
    assert owner.submit(f"/organizations/{acme.id}/invitations/new", **again).errors
    visit().go(path, **NEW)
    visitor = visit()
    visitor.go("/sign-in", email="ana.SOUSA@guest.example", password=NEW["password"])
    assert emails(app, acme) >= {"ana.sousa@guest.example"}


def test_23_seats_are_counted_without_races(
    app: Flask, acme: Acme, together: Together, visit: Visit, offer: Offer
) -> None:
    with app.app_context():
        configure(acme, seat_limit=5)
        expire(invite(acme, "late@guest.example"))
    outcomes = together(partial(invite, acme, f"a{number}@guest.example") for number in range(6))
    assert sorted(type(one).__name__ for one in outcomes) == ["Invitation"] * 2 + ["SeatLimitReached"] * 4
    with app.app_context():
        for one in [one for one in outcomes if isinstance(one, Invitation)]:
            invitations.accept_with_new_account(token_of(one), ANA)
        assert session().get_one(Organization, acme.id).members_count == 5
    assert len(emails(app, acme)) == 5


def test_24_accepting_twice_makes_one_member(app: Flask, acme: Acme, together: Together) -> None:
    with app.app_context():
        token = token_of(invite(acme))
    outcomes = together(partial(invitations.accept_with_new_account, token, ANA) for _ in range(6))
    assert [type(one).__name__ for one in outcomes].count("Membership") == 1
    with app.app_context():
        assert session().scalar(select(func.count()).select_from(Membership)) == 4


def test_25_pending_invitations_are_unique(app: Flask, acme: Acme, together: Together) -> None:
    outcomes = together(partial(invite, acme, email) for email in ("ana@guest.example", "ANA@Guest.example") * 3)
    assert [type(one).__name__ for one in outcomes].count("Invitation") == 1
    with app.app_context():
        assert session().scalar(select(func.count()).select_from(Invitation)) == 1


def test_26_concurrent_removals_keep_an_owner(app: Flask, acme: Acme, together: Together) -> None:
    with app.app_context():
        other = make_member(acme, "other@acme.example", "owner")
    outcomes = together(
        [
            partial(members.remove, acme.id, acme.owner.id, by=other.actor),
            partial(members.remove, acme.id, other.id, by=acme.owner.actor),
            partial(members.leave, acme.id, by=acme.owner.actor),
            partial(members.leave, acme.id, by=other.actor),
        ]
    )
    with app.app_context():
        owners = [one for one in members.list_all(acme.id, by=OPERATOR) if one.role.key == "owner"]
    assert len(owners) == 1
    done = [one for one in outcomes if not isinstance(one, Exception)]  # None, or the removed member
    assert len(done) == 1
    assert sum(isinstance(one, DomainError) for one in outcomes) == 3


@on_sqlite
def test_27_invalid_row_does_not_affect_the_others(app: Flask, acme: Acme, owner: Visitor) -> None:
    bulk = f"/organizations/{acme.id}/invitations/bulk"
    text = f"ana@guest.example\nnonsense\n{acme.member.email}\nbo@guest.example\nana@guest.example"
    checked = owner.go(bulk, text=text, role="member")
    owner.go(f"{checked}/send", page=checked)
    with app.app_context():
        sent = set(session().scalars(select(Invitation.email)))
    assert sent == {"ana@guest.example", "bo@guest.example"}
    rest = owner.client.get(f"{checked}/rest").text
    assert "nonsense" in rest
    assert acme.member.email in rest
    assert "bo@guest.example" not in rest


@on_sqlite
def test_28_sending_is_limited_and_limits_are_explained(
    make_app: Callable[..., Flask], acme: Acme, monkeypatch: pytest.MonkeyPatch, key: dict[str, str]
) -> None:
    monkeypatch.setitem(limits.RULES, "invitations by actor", memory.Rule(1, 3600))
    app = make_app(INVITE_RATE_LIMITS="on")
    with time_machine.travel("2026-03-01T13:04:30Z", tick=False):
        owner, form = Visitor(app).sign_in(acme.owner), f"/organizations/{acme.id}/invitations/new"
        fields = {"given_name": "A", "family_name": "B", "role": "member"}
        owner.go(form, email="ana@guest.example", **fields)
        page = owner.submit(form, status=429, email="bo@guest.example", **fields)
        assert page.summary == ["Too many invitations. Try again at 14:05 UTC."]
        path = f"/api/v1/organization/{acme.id}/invitation"
        answers = [
            app.test_client().post(path, json={**fields, "email": f"{name}@guest.example"}, headers=key)
            for name in ("cy", "dee")
        ]
        assert [answer.status_code for answer in answers] == [201, 429], "the key is another actor"
        assert answers[1].headers["Retry-After"] == "3600"


@on_sqlite
def test_29_nobody_is_added_without_consent(
    app: Flask, acme: Acme, globex: Acme, call_api: Callable[..., Any]
) -> None:
    """Invited people become members only by accepting, with or without an account."""
    for email in (globex.member.email, "new@guest.example"):
        fields = {"email": email, "given_name": "A", "family_name": "B", "role": "member"}
        assert call_api("POST", "/invitation", fields).status_code == 201
        assert email not in emails(app, acme)


@on_sqlite
def test_30_accounts_cannot_be_enumerated(
    mailing: Flask, smtp: SmtpServer, acme: Acme, globex: Acme, call_api: Callable[..., Any]
) -> None:
    visitor, said = Visitor(mailing), []
    for email in (acme.owner.email, "nobody@guest.example"):
        page = visitor.submit("/sign-in", email=email, password="not the password")
        said.append((page.summary, visitor.follow("/forgot", email=email).texts("p")))
    assert said[0] == said[1]
    answers = [
        call_api(
            "POST", "/invitation", {"email": email, "given_name": "A", "family_name": "B", "role": "member"}
        ).json
        for email in (globex.owner.email, "nobody.at.all@guest.example")
    ]
    assert answers[0].keys() == answers[1].keys(), "an account elsewhere is invited like anybody"


@on_sqlite
def test_31_admins_see_pending_invitations(
    app: Flask, acme: Acme, visit: Visit, call_api: Callable[..., Any], offer: Offer
) -> None:
    for number in range(3):
        offer(f"guest{number}@guest.example", "member", by=acme.owner.actor)
    page = visit(acme.admin).get(f"/organizations/{acme.id}/invitations")
    text = " ".join(page.texts("td"))
    assert [number for number in range(3) if f"guest{number}@guest.example" in text] == [0, 1, 2]
    assert call_api("GET", "/invitations?state=pending").json["total"] == 3
    with app.app_context():
        assert len(invitations.list_page(acme.id, by=acme.admin.actor).items) == 3
