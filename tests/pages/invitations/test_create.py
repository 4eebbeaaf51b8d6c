"""Inviting a person: errors, kept input, and the preview."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from invite_app.models import Invitation
from tests.support.factories import Acme, configure, expire, invite, make_member, make_role, session
from tests.support.mail import SmtpServer
from tests.support.visitor import Visitor

TYPED = {
    "given_name": "Ana",
    "family_name": "Sousa",
    "email": "ana@guest.example",
    "role": "member",
    "note": "Welcome!",
    "days": "14",
}


@pytest.fixture
def form(acme: Acme) -> str:
    return f"/organizations/{acme.id}/invitations/new"


def invited(app: Flask) -> list[Invitation]:
    with app.app_context():
        return list(session().query(Invitation))


def test_invitation_is_sent_and_confirmed(
    app: Flask, acme: Acme, form: str, owner: Visitor, smtp: SmtpServer
) -> None:
    page = owner.follow(form, **TYPED, workspace_ids=[str(acme.workspaces[1])])
    assert page.notes == ["Invitation for Ana Sousa made; its email is in the outbox. Open Invite another"]
    [made] = invited(app)
    assert (made.name, made.email, made.role_name, made.note) == (
        "Ana Sousa",
        "ana@guest.example",
        "Member",
        "Welcome!",
    )
    assert round((made.expires_at - made.created_at) / timedelta(days=1)) == 14
    assert "Ana Sousa" in page.texts("a", "who-name")


REFUSALS: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "no family name": ({"family_name": " "}, {}, ["Enter a family name."]),
    "bad address": ({"email": "ana@"}, {}, ["Enter an email address, like name@example.com."]),
    "everything at once": (
        {"given_name": "", "email": "ana", "note": "x" * 1001},
        {},
        [
            "Enter a given name.",
            "Enter an email address, like name@example.com.",
            "Use at most 1,000 characters.",
        ],
    ),
    "control character": (
        {"given_name": "Ana\x1b[0m"},
        {},
        ["Leave out line breaks and other control characters."],
    ),
    "member already": (
        {"email": "Member@acme.example"},
        {},
        ["member@acme.example is already a member. Open the list of members to change the role."],
    ),
    "domain": (
        {},
        {"allowed_domains": ["acme.example"]},
        ["Only addresses at acme.example can be invited. Open settings."],
    ),
    "unknown role": ({"role": "pope"}, {}, ["There is no role “pope” in this organization. Choose another one."]),
    "workspace gone": (
        {"workspace_ids": ["0190a1fb-0000-7000-8000-000000000000"]},
        {},
        ["One of these workspaces no longer exists. Choose again."],
    ),
}
AT_THE_TOP: dict[str, tuple[dict[str, Any], str]] = {
    "free plan": (
        {"plan": "free"},
        "On the free plan nobody can be invited. An owner can change the plan in settings.",
    ),
    "seats": ({"seat_limit": 3}, "All 3 seats are in use. Revoke an invitation or raise the limit."),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_error_is_shown_at_its_field_keeping_input(
    case: str, app: Flask, acme: Acme, form: str, owner: Visitor
) -> None:
    changed, settings, shown = REFUSALS[case]
    with app.app_context():
        configure(acme, **settings)
    typed = {**TYPED, **changed}
    page = owner.submit(form, **typed)
    assert page.errors == page.summary == shown
    assert page.texts("title") == ["Problem: Invite a person · Acme"]
    for name in ("given_name", "family_name", "email", "note"):
        assert page.value(name).strip() == typed[name].replace("\x1b", "\x1b").strip()
    assert invited(app) == []


@pytest.mark.parametrize("case", AT_THE_TOP)
def test_error_without_a_field_is_shown_on_top(case: str, app: Flask, acme: Acme, form: str, owner: Visitor) -> None:
    settings, shown = AT_THE_TOP[case]
    with app.app_context():
        configure(acme, **settings)
    page = owner.submit(form, **TYPED)
    assert (page.errors, page.summary) == ([], [shown])
    assert page.value("email") == TYPED["email"]


def test_free_plan_is_mentioned_before_typing(app: Flask, acme: Acme, form: str, owner: Visitor) -> None:
    with app.app_context():
        configure(acme, plan="free")
    assert owner.get(form).notes == [AT_THE_TOP["free plan"][1]]


def test_pending_invitation_is_named_and_linked(app: Flask, acme: Acme, form: str, owner: Visitor) -> None:
    with app.app_context():
        first = invite(acme, TYPED["email"]).id
    page = owner.submit(form, **TYPED)
    [shown] = page.errors
    assert shown.startswith("ana@guest.example is invited since ")
    assert shown.endswith("Open the invitation.")
    assert f"/organizations/{acme.id}/invitations/{first}" in page.links


def test_role_above_ones_own_is_not_available(
    app: Flask, acme: Acme, form: str, visit: Callable[..., Visitor]
) -> None:
    with app.app_context():
        make_role(acme, "Inviter", ["members:read", "invitations:read", "invitations:write"])
        visitor = visit(make_member(acme, "inviter@acme.example", role="inviter"))
    page = visitor.get(form)
    offered = {one.attributes["value"]: "disabled" not in one.attributes for one in page.all("option")}
    assert offered["member"]
    assert not offered["admin"]
    page = visitor.submit(form, **{**TYPED, "role": "admin"})
    [shown] = page.errors
    assert shown.startswith("You cannot grant Admin: your own role does not let you change members, ")
    assert shown.endswith(" and see the audit log.")


class TestWithAMailServer:
    @pytest.fixture
    def app(self, smtp_app: Flask) -> Flask:
        return smtp_app

    def test_mail_is_sent_before_the_response(self, form: str, owner: Visitor, smtp: SmtpServer, acme: Acme) -> None:
        page = owner.follow(form, **TYPED)
        assert page.notes == ["Invitation sent to Ana Sousa. Open Invite another"]
        [message] = smtp.to("ana@guest.example")
        assert message.links[0].startswith("http://localhost/invitations/")
        assert "In the outbox" not in page.texts("span", "badge")

    def test_unreachable_server_stores_nothing_and_keeps_input(
        self, app: Flask, form: str, owner: Visitor, smtp: SmtpServer
    ) -> None:
        smtp.fail("421 4.3.0 busy", at="mail")
        page = owner.submit(form, status=503, **TYPED)
        assert page.summary == [
            "The mail server cannot be reached, so nothing was sent and nothing was kept. Try again in a minute."
        ]
        assert page.value("email") == TYPED["email"]
        assert invited(app) == []

    def test_rejected_address_is_shown_at_the_field(self, form: str, owner: Visitor, smtp: SmtpServer) -> None:
        smtp.fail("550 5.1.1 no such mailbox", at="rcpt")
        [shown] = owner.submit(form, **TYPED).errors
        assert shown.startswith("The mail server refused this address")
        assert "no such mailbox" in shown

    def test_no_local_outbox_with_a_mail_server(self, app: Flask, form: str, owner: Visitor) -> None:
        owner.go(form, **TYPED)
        owner.get("/outbox", 404)
        assert "Outbox" not in owner.get(form).texts("a", "nav-link")

    def test_links_ignore_the_host_header(self, form: str, owner: Visitor, smtp: SmtpServer) -> None:
        token = owner.token(form)
        data = {**TYPED, "csrf_token": token}
        answer = owner.client.post(form, data=data, headers={"Host": "evil.example"})
        assert answer.status_code == 400
        assert not smtp.messages
        owner.client.post(form, data=data, headers={"X-Forwarded-Host": "evil.example"})
        assert "evil.example" not in smtp.messages[0].text + smtp.messages[0].html


def test_preview_sends_nothing_and_shows_the_effect(app: Flask, acme: Acme, form: str, owner: Visitor) -> None:
    with app.app_context():
        configure(acme, seat_limit=20)
    page = owner.submit(form, status=200, preview="1", given_name="Ana", role="admin", note="Start with <b>this</b>")
    said = page.texts("ul", "effects")[0]
    assert "Ana will be able to invite people, change members, manage workspaces" in said
    assert "Not: settings" in said
    assert "Holds seat 4 of 20 until accepted or ended" in said
    assert "> Start with <b>this</b>" in page.texts("div", "mail-text")[0]
    assert page.errors == []
    assert invited(app) == []


def test_overdue_invitation_uses_no_seat_in_preview(app: Flask, acme: Acme, form: str, owner: Visitor) -> None:
    with app.app_context():
        expire(invite(acme))
    assert "Holds seat 4 until" in owner.get(form).texts("ul", "effects")[0]
