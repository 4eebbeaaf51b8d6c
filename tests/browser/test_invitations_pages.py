"""Imports in the browser: paste a list, correct a row, send and follow it, with and without script."""

from collections.abc import Callable
from typing import Any

import pytest

from invite_app.worker.sender import OutboxSender
from tests.browser.test_journey import heading, press, sign_in
from tests.support.factories import expire, invite, make_organization, token_of
from tests.support.mail import SmtpServer
from tests.support.server import LiveServer

CheckPage = Callable[[Any], None]
Open = Callable[..., Any]
LIST = "ana@guest.example,Ana,Sousa\nno address,Bo,Ek\nslip@gmial.com,Cy,Dee\nrole@guest.example,Di,Ent,Mebmer"


@pytest.fixture
def server(serve: Callable[..., LiveServer], smtp: SmtpServer) -> LiveServer:
    return serve(**smtp.environ)


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_import_is_pasted_corrected_sent_and_followed(
    has_script: bool, server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    with server.app.app_context():
        acme = make_organization()
    page = sign_in(open_page(server, java_script_enabled=has_script), acme.owner)
    examine = check_page if has_script else lambda _: None
    page.goto(f"/organizations/{acme.id}/invitations/bulk")
    examine(page)
    page.get_by_label("The list").fill(LIST)
    press(page, "Check the list")
    assert heading(page) == "Check the list"
    examine(page)
    page.get_by_label("Email in row 2").fill("bo@guest.example")
    press(page, "Save row 2")
    page.get_by_text("Row 2: ready.").wait_for()
    assert page.locator(":focus").get_attribute("aria-label") == "Role in row 4"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Row 4: ready.").wait_for()
    press(page, "Use gmail.com in row 3")
    page.get_by_text("4 of 4 rows are ready to send").wait_for()
    examine(page)
    press(page, "Send 4 invitations")
    assert heading(page) == "Sending 4 invitations"
    examine(page)
    with server.app.app_context():
        OutboxSender(server.app).run_once()
    page.get_by_role("heading", name="4 invitations are on the way").wait_for()
    examine(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tracking_events_are_shown_and_accessible(
    scheme: str, server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    with server.app.app_context():
        acme = make_organization()
        row, late = invite(acme, given_name="Ana"), invite(acme, "late@guest.example")
        expire(late)
        link, late_link = f"/invitations/{token_of(row)}", f"/invitations/{token_of(late)}"
    invitee, owner = (open_page(server, color_scheme=scheme) for _ in range(2))
    with invitee.expect_response("**/opened"):
        invitee.goto(link)
    invitee.goto(late_link)
    check_page(invitee)
    press(invitee, "Ask for a fresh invitation")
    invitee.get_by_text("The admins have been told.").wait_for()
    check_page(invitee)
    sign_in(owner, acme.owner)
    owner.get_by_text("late@guest.example asks for a fresh invitation").first.wait_for()
    check_page(owner)
    owner.goto(f"/organizations/{acme.id}/invitations/{row.id}")
    owner.get_by_text("Page opened by a person").wait_for()
    check_page(owner)
