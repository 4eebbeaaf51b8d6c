"""Page states outside of the journeys: empty, closed, full, rows selected, menus open, input too large."""

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import select

from invite_app.db import session
from invite_app.errors import RateLimited
from invite_app.models import Invitation
from invite_app.models.types import now
from invite_app.services import imports
from invite_app.services.imports.parser import ImportLine
from tests.browser.test_journey import heading, press, setup_link, sign_in
from tests.support.factories import Acme, invite, make_organization, set_delivery
from tests.support.server import LiveServer

CheckPage = Callable[[Any], None]
Open = Callable[..., Any]
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
LISTS = ("members?q=zzz", "workspaces", "api-keys", "audit?who=zzz", "invitations?q=olivia", "invitations?q=zzz")
STATES = ("pending", "undelivered", "expired", "declined", "revoked", "accepted")


@pytest.fixture
def full(live_server: LiveServer) -> Acme:
    """Fill all seats and fail the delivery of one mail."""
    with live_server.app.app_context():
        acme = make_organization(seat_limit=5)
        for name in ("ana", "ben"):
            set_delivery(invite(acme, f"{name}@guest.example"), state="failed", reason="550 no")
        return acme


@SCHEMES
def test_empty_and_closed_states_are_accessible(
    scheme: str, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    with live_server.app.app_context():
        acme = make_organization(plan="free", workspace_names=())
    page = sign_in(open_page(live_server, color_scheme=scheme), acme.owner)
    home = f"/organizations/{acme.id}"
    for path in (
        *LISTS,
        *(f"invitations?state={state}" for state in STATES),
        "",
        "invitations/bulk",
        "invitations/new",
    ):
        page.goto(f"{home}/{path}")
        check_page(page)
    reader = sign_in(open_page(live_server, color_scheme=scheme), acme.member)
    for path in ("", "members", f"members/{acme.owner.id}", "settings"):
        reader.goto(f"{home}/{path}")
        check_page(reader)


@SCHEMES
def test_selected_rows_and_menus_are_accessible(
    scheme: str, full: Acme, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    page = sign_in(open_page(live_server, color_scheme=scheme), full.owner)
    for path in ("members", "invitations"):
        page.goto(f"/organizations/{full.id}/{path}")
        for box in page.locator(".cell-check input").all():
            box.check()
        check_page(page)
    for menu in (".person > summary", "main .row-menu > summary", ".more-info > summary"):
        page.goto(
            f"/organizations/{full.id}/invitations" if "row" in menu else f"/organizations/{full.id}/invitations/new"
        )
        page.locator(menu).first.click()
        check_page(page)


@SCHEMES
def test_missing_seats_are_shown_before_typing(
    scheme: str, full: Acme, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    page = sign_in(open_page(live_server, color_scheme=scheme), full.owner)
    page.goto(f"/organizations/{full.id}/invitations/new")
    assert "All 5 seats are in use." in page.locator(".notes").inner_text()
    assert "No seat is free: all 5 are in use" in page.locator("#preview").inner_text()
    check_page(page)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_file_that_is_too_large_loses_nothing(
    script: bool, full: Acme, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    page = sign_in(open_page(live_server, java_script_enabled=script), full.owner)
    page.goto(f"/organizations/{full.id}/invitations/bulk")
    page.get_by_label("The list").fill("ana@guest.example,Ana,Sousa")
    page.get_by_label("Sales").check()
    page.get_by_label("Or a file").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": b"x" * (11 << 20)}
    )
    press(page, "Check the list")
    assert "This file is larger than 10 MiB." in page.locator(".summary").inner_text()
    assert page.get_by_label("The list").input_value() == "ana@guest.example,Ana,Sousa"
    assert page.get_by_label("Sales").is_checked()
    if script:
        assert "There is a problem" in page.locator(":focus").inner_text()
        check_page(page)
    press(page, "Check the list")
    assert heading(page) == "Check the list"


@SCHEMES
def test_setup_pages_are_accessible(
    scheme: str, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    page = open_page(live_server, color_scheme=scheme)
    page.goto("/setup/of-another-server")
    assert "belongs to another server" in page.locator("main").inner_text()
    check_page(page)
    page.goto(setup_link(live_server))
    check_page(page)
    press(page, "Create organization")
    assert "Enter a name for the organization." in page.locator(".summary").inner_text()
    check_page(page)
    with live_server.app.app_context():
        make_organization()
    page.reload()
    assert heading(page) == "Already set up"
    check_page(page)


@SCHEMES
def test_error_pages_are_accessible(
    scheme: str,
    *,
    full: Acme,
    live_server: LiveServer,
    open_page: Open,
    check_page: CheckPage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live_server.app.config["PROPAGATE_EXCEPTIONS"] = False
    page = sign_in(open_page(live_server, color_scheme=scheme), full.owner)
    page.watch.allow("answer 500")
    for title, error in (("Too many for now", RateLimited(300)), ("Something broke", ZeroDivisionError())):
        monkeypatch.setattr("invite_app.services.members.page_for", Mock(side_effect=error))
        page.goto(f"/organizations/{full.id}/members")
        assert heading(page) == title
        check_page(page)
    page.goto(f"/organizations/{full.id}/settings")
    page.get_by_label("Allowed email domains").evaluate("box => { box.value = 'x'.repeat(1 << 20) }")
    press(page, "Save settings")
    assert "This is too large" in page.locator("main").inner_text()
    check_page(page)


@SCHEMES
def test_import_progress_is_accessible(
    scheme: str, serve: Callable[..., LiveServer], open_page: Open, check_page: CheckPage
) -> None:
    server = serve(INVITE_MAIL_SERVER="mail.invalid")
    with server.app.app_context():
        acme = make_organization()
        lines = [ImportLine(f"guest{number}@guest.example", "Ana", "Guest") for number in range(3)]
        sheet = imports.create(acme.id, lines, by=acme.owner.actor, role="member")
        batch = imports.send(acme.id, sheet.id, by=acme.owner.actor)
        first, second, _ = session().scalars(select(Invitation.id).where(Invitation.batch_id == batch.id))
        set_delivery(first, state="sent", sent_at=now())
        set_delivery(second, state="failed", reason="550 no such mailbox")
    page = sign_in(open_page(server, color_scheme=scheme), acme.owner)
    page.goto(f"/organizations/{acme.id}/invitations/bulk/{sheet.id}/progress")
    assert heading(page) == "Sending 3 invitations"
    with page.expect_response("**/progress"):
        pass
    assert page.locator(".legend li").all_inner_texts() == ["1 sent", "1 waiting", "1 failed"]
    check_page(page)
    page.get_by_role("link", name="Stop sending").click()
    page.wait_for_load_state()
    assert heading(page) == "Stop sending to 1 person?"
    check_page(page)
