"""Tracking events of an invitation, and how they are shown to admins."""

from collections.abc import Callable

import pytest
from flask import Flask

from invite_app.worker.sender import OutboxSender
from tests.support.factories import Acme, configure, invite, make_person, reread, token_of
from tests.support.mail import SmtpServer
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]


@pytest.fixture
def pages(app: Flask, acme: Acme) -> tuple[str, str]:
    """Return the admin's page of an invitation, and the invitee's."""
    with app.app_context():
        row = invite(acme, given_name="Ana")
        return f"/organizations/{acme.id}/invitations/{row.id}", f"/invitations/{token_of(row)}"


def story(visitor: Visitor, path: str) -> list[str]:
    return visitor.get(path).texts("b")


def test_fetching_the_link_is_recorded_as_a_scan(
    app: Flask, pages: tuple[str, str], owner: Visitor, visit: Visit
) -> None:
    visit().get(pages[1])
    visit().get(pages[1])
    assert story(owner, pages[0])[1:] == ["Link checked by a machine", "Invited by Olivia Owner"]


def test_browser_visit_is_recorded_as_opened(pages: tuple[str, str], owner: Visitor, visit: Visit) -> None:
    invitee = visit()
    assert invitee.post(f"{pages[1]}/opened", page=pages[1]).status_code == 204
    assert story(owner, pages[0])[1:] == ["Page opened by a person", "Invited by Olivia Owner"]
    assert "Ana opened this just now and has not accepted yet." in owner.get(pages[0]).texts("p", "why-sentence")


def test_wrong_accounts_address_is_masked(app: Flask, pages: tuple[str, str], owner: Visitor, visit: Visit) -> None:
    with app.app_context():
        other = make_person("private@elsewhere.example")
    visit(other).post(f"{pages[1]}/opened", page=pages[1])
    page = owner.get(pages[0])
    assert "Opened with another account" in page.texts("b")
    assert "Signed in as p•••e@elsewhere.example. Nothing was used up." in page.texts("p")
    assert "Send again" in page.texts("button")


def test_full_organization_is_reported_to_the_admin(
    app: Flask, acme: Acme, pages: tuple[str, str], owner: Visitor, visit: Visit
) -> None:
    with app.app_context():
        configure(acme, seat_limit=3)
    visit().post(f"{pages[1]}/opened", page=pages[1])
    page = owner.get(pages[0])
    assert page.texts("p", "why-sentence") == ["Ana tried to accept just now, but all 3 seats are taken."]
    assert "Open seats" in page.texts("a")


def test_form_requires_a_csrf_token(app: Flask, pages: tuple[str, str], visit: Visit) -> None:
    answer = visit().client.post(f"{pages[1]}/opened", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 400


def test_invalid_link_records_nothing(visit: Visit) -> None:
    visit().get("/invitations/broken", 404)
    assert visit().client.post("/invitations/broken/opened").status_code in (303, 400, 404)


class TestDelivery:
    @pytest.fixture
    def app(self, smtp_app: Flask) -> Flask:
        return smtp_app

    def test_mail_servers_responses_are_shown(
        self, app: Flask, acme: Acme, smtp: SmtpServer, pages: tuple[str, str], owner: Visitor
    ) -> None:
        assert story(owner, pages[0])[1:] == ["Taken by the mail server", "Invited by Olivia Owner"]
        smtp.fail("550 5.1.1 no such mailbox", at="rcpt", times=1)
        owner.go(f"{pages[0]}/resend", page=pages[0])
        with app.app_context():
            OutboxSender(app).run_once()
        page = owner.get(pages[0])
        assert page.texts("b")[1:3] == ["Not delivered", "Sent again by Olivia Owner"]
        assert "no such mailbox" in page.texts("p", "why-sentence")[0]
        assert [button for button in page.texts("a") if button == "Correct the address"]


def test_visits_are_recorded_at_intervals(app: Flask, acme: Acme, visit: Visit) -> None:
    with app.app_context():
        row = invite(acme)
        path = f"/invitations/{token_of(row)}"
    for _ in range(3):
        visit().post(f"{path}/opened", page=path)
    with app.app_context():
        assert reread(row).opened_count == 1
