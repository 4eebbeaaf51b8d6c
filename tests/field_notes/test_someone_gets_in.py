"""Unauthorized people get access: one test for each way seen elsewhere (1 to 12)."""

from collections.abc import Callable
from datetime import timedelta
from email.utils import parseaddr
from typing import Any

import pytest
import time_machine
from flask import Flask

from invite_app.errors import DomainError
from invite_app.models.types import now
from invite_app.services import accounts, invitations, members
from invite_app.services.accounts import Device
from tests.support.databases import on_sqlite
from tests.support.factories import (
    OPERATOR,
    PASSWORD,
    Acme,
    Person,
    invite,
    make_api_key,
    make_member,
    make_person,
    make_role,
    reread,
    token_of,
)
from tests.support.mail import SmtpServer
from tests.support.visitor import Visitor

pytestmark = on_sqlite
Visit = Callable[..., Visitor]
Offer = Callable[..., str]
NEW = {"given_name": "Ana", "family_name": "Sousa", "password": "a few words in a row"}


def people(app: Flask, acme: Acme) -> dict[str, str]:
    """Return the members with their roles."""
    with app.app_context():
        return {one.user.email: one.role.key for one in members.list_all(acme.id, by=OPERATOR)}


def state(app: Flask, path: str) -> str:
    """Return the state of a link's invitation."""
    with app.test_client() as client:
        return str(client.get(f"/api/v1{path}").json["state"])  # type: ignore[index]


def test_01_link_is_bound_to_the_invited_address(
    app: Flask, acme: Acme, globex: Acme, offer: Offer, visit: Visit
) -> None:
    path, somebody_else = offer(), visit(globex.member)
    page = somebody_else.get(path)
    assert page.all("form", action=f"{path}/sign-out")
    assert somebody_else.post(path, page="/").location == path
    assert globex.member.email not in people(app, acme)
    assert state(app, path) == "pending"


class Test02:
    """Role escalation through the invitation, including custom roles that pass a check for 'admin'."""

    @pytest.fixture
    def inviter(self, app: Flask, acme: Acme) -> Person:
        with app.app_context():
            make_role(acme, "Inviter", ["invitations:read", "invitations:write", "members:read"])
            make_role(acme, "Janitor", ["members:write", "organization:write"])
            return make_member(acme, "inviter@acme.example", role="inviter")

    @pytest.mark.parametrize("role", ["owner", "admin", "janitor", "Org:Admin"])
    def test_02_invitation_cannot_escalate_a_role(
        self, app: Flask, acme: Acme, inviter: Person, *, visit: Visit, call_api: Callable[..., Any], role: str
    ) -> None:
        form = f"/organizations/{acme.id}/invitations/new"
        person = {"email": "mate@guest.example", "given_name": "Mate", "family_name": "E", "role": role}
        visit(inviter).submit(form, **person)
        with app.app_context():
            headers = make_api_key(acme, "owner", user=inviter).headers
            harmless = invite(acme, "ana@guest.example", "member", by=inviter.actor).id
        assert call_api("POST", "/invitation", person, headers).status_code == 403
        assert call_api("PATCH", f"/invitations/{harmless}", {"role": role}, headers).status_code == 403
        with app.app_context():
            assert [one.role.key for one in invitations.list_page(acme.id, by=OPERATOR).items] == ["member"]


@pytest.mark.parametrize("operation", ["resend", "revoke", "extend", "take-over", "link", "edit"])
def test_03_invitation_ids_work_in_one_organization_only(
    app: Flask, acme: Acme, globex: Acme, *, visit: Visit, call_api: Callable[..., Any], operation: str
) -> None:
    with app.app_context():
        theirs = invite(globex)
        before = (theirs.state, theirs.expires_at, theirs.email)
    home = f"/organizations/{acme.id}"
    visit(acme.owner).submit(f"{home}/invitations/{theirs.id}/{operation}", page=f"{home}/", status=404)
    special = {"edit": ("PATCH", ""), "revoke": ("DELETE", "")}
    verb, path = special.get(operation, ("POST", f"/{operation}"))
    assert call_api(verb, f"/invitations/{theirs.id}{path}", {}).status_code == 404
    with app.app_context():
        kept = reread(theirs)
        assert (kept.state, kept.expires_at, kept.email) == before


def test_04_token_is_verified_and_bound_to_address(
    app: Flask, acme: Acme, offer: Offer, visit: Visit, call_api: Callable[..., Any]
) -> None:
    path = offer()
    with app.app_context():
        other = token_of(invite(acme, "bo@guest.example", "owner"))
    token = path.rpartition("/")[2]
    forgeries = [
        token[:-1] + ("A" if token[-1] != "A" else "Q"),
        token[:22] + other[22:],
        other[:22] + token[22:],
        "x",
    ]
    for forged in forgeries:
        visit().get(f"/invitations/{forged}", 404)
    visitor = visit()
    visitor.go(path, **NEW, email="bo@guest.example", role="owner")
    assert people(app, acme)["ana@guest.example"] == "member"
    assert "bo@guest.example" not in people(app, acme)


def test_05_token_is_in_no_response_or_log(
    app: Flask,
    acme: Acme,
    offer: Offer,
    *,
    owner: Visitor,
    call_api: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    tokens = {offer().rpartition("/")[2], offer("bo@guest.example", copied=True).rpartition("/")[2]}
    home, said = f"/organizations/{acme.id}", ""
    for page in ("/", "/invitations", "/audit", "/audit/export", "/members"):
        said += owner.client.get(home + page).text
    for path in ("/invitations", "/invitations?state=pending", "/audit"):
        said += call_api("GET", path).text
    said += call_api("POST", "/invitation", {"email": "ana@guest.example", "role": "member"}).text
    app.logger.error("Exception on /invitations/%s", *list(tokens)[:1])
    said += capsys.readouterr().err
    assert "[redacted]" in said
    assert not [token for token in tokens if token in said]


def test_06_signing_up_never_overwrites_a_password(app: Flask, acme: Acme, offer: Offer, visit: Visit) -> None:
    with app.app_context():
        make_person("ana@guest.example")
    path, visitor = offer(), visit()
    assert visitor.post(path, page="/sign-in", **NEW).location == path
    assert visitor.get(path).all("form", action=f"{path}/sign-in")
    answer = app.test_client().post(f"/api/v1{path}/accept", json=NEW)
    assert answer.status_code == 401
    with app.app_context():
        assert accounts.sign_in("ana@guest.example", PASSWORD, device=Device())
    assert "ana@guest.example" not in people(app, acme)


def test_07_removed_member_cannot_return_by_old_invitation(
    app: Flask, acme: Acme, owner: Visitor, visit: Visit, call_api: Callable[..., Any]
) -> None:
    mia = visit(acme.member)
    with app.app_context():
        old_link = f"/invitations/{token_of(invite(acme, 'ana@guest.example'))}"
        key = make_api_key(acme, "member", user=acme.member).headers
    ana = visit()
    ana.go(old_link, **NEW)
    with app.app_context():
        ana_id = accounts.get_by_email("ana@guest.example").id
    for person_id in (acme.member.id, ana_id):
        owner.go(f"/organizations/{acme.id}/members/{person_id}/remove", confirmed="yes")
    mia.get(f"/organizations/{acme.id}/members", 404)
    ana.get(f"/organizations/{acme.id}/", 404)
    assert call_api("GET", "/members", headers=key).status_code == 401
    ana.post(old_link, page="/account")
    assert people(app, acme).keys() == {acme.owner.email, acme.admin.email}


def test_08_token_works_once_and_until_expiry(app: Flask, acme: Acme, offer: Offer, visit: Visit) -> None:
    used, late = offer(), offer("bo@guest.example")
    visit().go(used, **NEW)
    visit().get(used, 410)
    eve = visit()
    eve.get(eve.go(used, page="/sign-in", **{**NEW, "given_name": "Eve"}), 410)
    with time_machine.travel(now() + timedelta(days=7, seconds=1)):
        visit().get(late, 410)
        assert visit().go(late, page="/sign-in", **NEW) == late
    assert "bo@guest.example" not in people(app, acme)


def test_09_link_host_ignores_the_request(
    make_app: Callable[..., Flask], smtp: SmtpServer, acme: Acme, key: dict[str, str]
) -> None:
    app = make_app(**smtp.environ, INVITE_EXTERNAL_URL="https://invite.acme.example", INVITE_TRUSTED_PROXIES="1")
    body = {"given_name": "A", "family_name": "B", "email": "ana@guest.example", "role": "member"}
    path, forged = (
        f"/api/v1/organization/{acme.id}/invitation",
        {"X-Forwarded-Host": "localhost", "Origin": "https://x"},
    )
    assert app.test_client().post(path, json=body, headers={**key, **forged}).status_code == 201
    assert app.test_client().post(path, json=body, headers={**key, "Host": "evil.example"}).status_code == 400
    (mail,) = smtp.messages
    assert {link.split("/invitations/")[0] for link in mail.links} == {"https://invite.acme.example"}


def test_10_forged_form_invites_nobody(app: Flask, acme: Acme, owner: Visitor) -> None:
    fields = {"email": "eve@evil.example", "given_name": "E", "family_name": "Ve", "role": "admin"}
    elsewhere = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    form = owner.client.post(f"/organizations/{acme.id}/invitations/new", data=fields, headers=elsewhere)
    assert form.status_code == 400
    path = f"/api/v1/organization/{acme.id}/invitation"
    for content in ("application/json", "text/plain"):
        answer = owner.client.post(path, json=fields, headers={**elsewhere, "Content-Type": content})
        assert answer.status_code == 401
    with app.app_context():
        assert invitations.list_page(acme.id, by=OPERATOR).items == []


@pytest.mark.parametrize(
    "name",
    [
        "<img src=x onerror=alert(1)>",
        "Pay at evil.example",
        "https://evil.example/pay",
        "[Pay](//evil)",
    ],
)
def test_11_names_and_notes_cannot_inject_html(
    mailing: Flask, smtp: SmtpServer, acme: Acme, owner: Visitor, name: str
) -> None:
    with mailing.app_context():
        host = make_member(acme, "host@acme.example", "admin", given_name=name, family_name=name)
        invitation = invite(acme, "ana@guest.example", by=host.actor, given_name=name, note=name)
    (mail,) = smtp.messages
    assert len(mail.message["Subject"].splitlines()) == 1
    assert parseaddr(str(mail.message["Reply-To"]))[1] == "host@acme.example"
    assert "<img src=x" not in mail.html
    for tempting in ("evil.example", "https://evil"):
        assert f"{tempting}" not in mail.text, "mail clients would make a link of it"
        assert f'href="{tempting}' not in mail.html
    page = owner.get(f"/organizations/{acme.id}/invitations/{invitation.id}")
    assert not page.all("img", src="x")
    assert not [link for link in page.links if "evil" in link]


def test_12_callers_app_url_is_never_the_link(
    mailing: Flask, smtp: SmtpServer, acme: Acme, key: dict[str, str]
) -> None:
    client, invitation = mailing.test_client(), {"email": "ana@guest.example", "user_role": 0}
    for field in ("app_url", "redirect_uri"):
        urls = {"app_url": "http://localhost", "redirect_uri": "http://localhost/", field: "https://evil.example/x"}
        headers = {**key, "TR-Organization": str(acme.id)}
        assert client.post("/api/invitation", json={**invitation, **urls}, headers=headers).status_code == 400
    assert smtp.messages == []
    with mailing.app_context(), pytest.raises(DomainError):
        invite(acme, redirect_uri="https://evil.example/x")
