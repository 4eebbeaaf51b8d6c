"""States of pages that no journey passes: empty, closed, full, rows selected, menus open, too much sent."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.test_journey import heading, press, sign_in
from tests.support.factories import Acme, invite, make_organization, set_delivery
from tests.support.server import LiveServer

Look = Callable[[Any], None]
Open = Callable[..., Any]
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
LISTS = ("members?q=zzz", "workspaces", "api-keys", "audit?who=zzz", "invitations?q=olivia", "invitations?q=zzz")
STATES = ("pending", "undelivered", "expired", "declined", "revoked", "accepted")


@pytest.fixture
def full(live_server: LiveServer) -> Acme:
    """All seats are taken, and a mail did not arrive."""
    with live_server.app.app_context():
        acme = make_organization(seat_limit=5)
        for name in ("ana", "ben"):
            set_delivery(invite(acme, f"{name}@guest.example"), state="failed", reason="550 no")
        return acme


@SCHEMES
def test_what_is_empty_or_closed_is_sound(scheme: str, live_server: LiveServer, open_page: Open, look: Look) -> None:
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
        look(page)
    reader = sign_in(open_page(live_server, color_scheme=scheme), acme.member)
    for path in ("", "members", f"members/{acme.owner.id}", "settings"):
        reader.goto(f"{home}/{path}")
        look(reader)


@SCHEMES
def test_selected_rows_and_open_menus_are_sound(
    scheme: str, full: Acme, live_server: LiveServer, open_page: Open, look: Look
) -> None:
    page = sign_in(open_page(live_server, color_scheme=scheme), full.owner)
    for path in ("members", "invitations"):
        page.goto(f"/organizations/{full.id}/{path}")
        for box in page.locator(".cell-check input").all():
            box.check()
        look(page)
    for menu in (".person > summary", "main .row-menu > summary", ".more-info > summary"):
        page.goto(
            f"/organizations/{full.id}/invitations" if "row" in menu else f"/organizations/{full.id}/invitations/new"
        )
        page.locator(menu).first.click()
        look(page)


@SCHEMES
def test_that_no_seat_is_free_is_said_before_anything_is_typed(
    scheme: str, full: Acme, live_server: LiveServer, open_page: Open, look: Look
) -> None:
    page = sign_in(open_page(live_server, color_scheme=scheme), full.owner)
    page.goto(f"/organizations/{full.id}/invitations/new")
    assert "All 5 seats are in use." in page.locator(".notes").inner_text()
    assert "No seat is free: all 5 are in use" in page.locator("#preview").inner_text()
    look(page)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_file_that_is_too_large_loses_nothing(
    script: bool, full: Acme, live_server: LiveServer, open_page: Open, look: Look
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
        look(page)
    press(page, "Check the list")
    assert heading(page) == "Check the list"
