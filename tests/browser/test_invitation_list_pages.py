"""Invitation lists in the browser: orders, bulk actions, a mistyped address, a cancelled import."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from invite_app.services import imports
from tests.browser.test_journey import heading, press, sign_in
from tests.support.factories import Acme, expire, invite, make_organization, set_delivery
from tests.support.mail import SmtpServer
from tests.support.server import LiveServer

CheckPage = Callable[[Any], None]
Open = Callable[..., Any]


@pytest.fixture
def acme(live_server: LiveServer) -> Acme:
    with live_server.app.app_context():
        acme = make_organization()
        for number in range(30):
            days = timedelta(days=40 - number)
            invite(acme, f"zed{number:02}@guest.example", given_name="Zed", family_name=f"{number:02}", lifetime=days)
        set_delivery(
            invite(acme, "failed@guest.example", lifetime=timedelta(days=60)), state="failed", reason="550 no"
        )
        expire(invite(acme, "late@guest.example"))
        return acme


@pytest.fixture
def home(acme: Acme) -> str:
    return f"/organizations/{acme.id}/invitations"


def names(page: Any) -> list[str]:
    return [text.strip() for text in page.locator(".who-name").all_inner_texts()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(
    scheme: str, *, acme: Acme, home: str, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    with live_server.app.app_context():
        one = f"{home}/{invite(acme, 'ana@guest.example').id}"
    page = sign_in(open_page(live_server, color_scheme=scheme), acme.owner)
    bulk = (f"{home}/{action}?all=1&state=all" for action in ("send-again", "extend", "revoke"))
    lists = (home, f"{home}?sort=ends", f"{home}?q=zed&all=1", f"{home}?q=ol", f"{home}?state=expired")
    for path in (*lists, *bulk, f"{one}/send-again"):
        page.goto(path)
        check_page(page)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_list_can_be_sorted(script: bool, acme: Acme, home: str, live_server: LiveServer, open_page: Open) -> None:
    page = sign_in(open_page(live_server, java_script_enabled=script), acme.owner)
    page.goto(home)
    assert names(page)[:2] == ["failed@guest.example", "Zed 29"]
    page.get_by_label("Order").select_option("Ends soonest")
    if not script:
        press(page, "Apply")
    page.wait_for_url("**sort=ends*")
    page.locator(".who-name").first.get_by_text("Zed 29").wait_for()
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**cursor=*")
    assert names(page)[-1] == "failed@guest.example"
    assert page.get_by_label("Order").input_value() == "ends"


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_tabs_keep_the_search(script: bool, acme: Acme, home: str, live_server: LiveServer, open_page: Open) -> None:
    page = sign_in(open_page(live_server, java_script_enabled=script), acme.owner)
    page.goto(home)
    page.get_by_label("Name or email").fill("late")
    if not script:
        press(page, "Apply")
    page.get_by_text("No invitation matches “late”").wait_for()
    page.locator("nav.tabs").get_by_role("link", name="Expired").click()
    page.wait_for_url("**state=expired*")
    assert names(page) == ["late@guest.example"]
    assert page.get_by_label("Name or email").input_value() == "late"


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_several_invitations_are_selected_and_revoked(
    script: bool, acme: Acme, home: str, live_server: LiveServer, open_page: Open
) -> None:
    page = sign_in(open_page(live_server, java_script_enabled=script), acme.owner)
    page.goto(home)
    page.get_by_label("Select Zed 29").check()
    page.get_by_label("Select failed@guest.example").check()
    press(page, "Extend")
    assert heading(page) == "Extend 2 invitations?"
    press(page, "Extend 2 invitations")
    assert "2 invitations extended by 7 days." in page.get_by_role("status").first.inner_text()
    page.goto(f"{home}?q=zed")
    page.get_by_label("Select Zed 29").check()
    page.get_by_role("link", name="Select all 30").click()
    page.wait_for_load_state()
    press(page, "Revoke")
    assert heading(page) == "Revoke 30 invitations?"
    press(page, "Revoke 30 invitations")
    assert "30 invitations revoked." in page.get_by_role("status").first.inner_text()
    assert "No invitation matches “zed”" in page.locator("main").inner_text()


@pytest.mark.parametrize("width", [1280, 375], ids=["desktop", "phone"])
def test_mistyped_address_is_asked_about_without_layout_shift(
    width: int, *, acme: Acme, home: str, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    page = sign_in(open_page(live_server, viewport={"width": width, "height": 900}), acme.owner)
    page.goto(f"{home}/new")
    role = page.get_by_label("Role", exact=True)
    before = role.bounding_box()
    page.get_by_label("Email").fill("ana.sousa@acme.exampel")
    role.focus()
    page.get_by_text("Did you mean ana.sousa@acme.example?").wait_for()
    assert role.bounding_box() == before
    check_page(page)
    press(page, "Use acme.example")
    page.get_by_text("Did you mean").wait_for(state="detached")
    assert page.get_by_label("Email").input_value() == "ana.sousa@acme.example"
    assert page.locator(":focus").get_attribute("name") == "email"
    page.get_by_label("Email").fill("ana@gmial.com")
    role.focus()
    press(page, "Keep as typed")
    page.get_by_text("Did you mean").wait_for(state="detached")
    page.get_by_label("Given name").fill("Ana")
    page.get_by_label("Family name").fill("Sousa")
    press(page, "Send invitation")
    assert "Ana Sousa" in page.get_by_role("status").first.inner_text()


def test_import_is_stopped_while_sending(
    serve: Callable[..., LiveServer], smtp: SmtpServer, open_page: Open, check_page: CheckPage
) -> None:
    server = serve(**smtp.environ)
    with server.app.app_context():
        acme = make_organization()
        lines = imports.parse("a@guest.example\nb@guest.example")
        sheet = imports.create(acme.id, lines, by=acme.owner.actor, role="member")
        imports.send(acme.id, sheet.id, by=acme.owner.actor)
        path = f"/organizations/{acme.id}/invitations/bulk/{sheet.id}"
    page = sign_in(open_page(server), acme.owner)
    page.goto(f"{path}/progress")
    check_page(page)
    page.get_by_role("link", name="Stop sending").click()
    page.wait_for_load_state()
    assert heading(page) == "Stop sending to 2 people?"
    check_page(page)
    press(page, "Stop sending")
    page.get_by_text("Stopped. 2 emails were not sent.").wait_for()
    assert heading(page) == "Check the list"
    check_page(page)
