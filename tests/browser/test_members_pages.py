"""Member pages in the browser: search, one role, removal, bulk actions."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.test_journey import heading, press, sign_in
from tests.support.factories import Acme, invite, make_api_key, make_member, make_organization
from tests.support.server import LiveServer

CheckPage = Callable[[Any], None]
Open = Callable[..., Any]


@pytest.fixture
def acme(live_server: LiveServer) -> Acme:
    with live_server.app.app_context():
        acme = make_organization()
        for number in range(30):
            make_member(acme, f"zed{number}@acme.example", given_name="Zed", family_name=f"Number {number:02}")
        invite(acme, "ana@guest.example", given_name="Ana", family_name="Petrova", by=acme.admin.actor)
        make_api_key(acme, user=acme.admin, role="admin", name="Nightly")
        return acme


@pytest.fixture
def home(acme: Acme) -> str:
    return f"/organizations/{acme.id}/members"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_members_is_accessible(
    scheme: str, *, acme: Acme, home: str, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    page = sign_in(open_page(live_server, color_scheme=scheme), acme.owner)
    one = f"{home}/{acme.admin.id}"
    for path in (
        *(
            home,
            f"{home}?q=ana",
            f"{home}?all=1",
            f"{home}/{acme.owner.id}",
            one,
            f"{one}/remove",
            f"{one}/role",
            f"{one}/hand-over",
        ),
        *(f"{home}/{action}?all=1" for action in ("change-role", "change-workspaces", "remove")),
    ):
        page.goto(path)
        check_page(page)
    page.goto(f"{home}/change-role?all=1")
    press(page, "Change role")
    assert page.title().startswith("Problem: ")
    check_page(page)


def test_search_finds_invitations_too(
    acme: Acme, home: str, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    page = sign_in(open_page(live_server), acme.owner)
    page.goto(home)
    page.get_by_role("searchbox").fill("petrova")
    page.get_by_text("1 invitation does: Ana Petrova, pending.").wait_for()
    assert "q=petrova" in page.url
    check_page(page)
    page.get_by_role("link", name="Show the invitation").click()
    page.wait_for_load_state()
    assert heading(page) == "Invitations"


def test_role_change_shows_its_effect_first(acme: Acme, home: str, live_server: LiveServer, open_page: Open) -> None:
    page = sign_in(open_page(live_server), acme.owner)
    page.goto(home)
    page.get_by_role("link", name="Mia Member").click()
    page.wait_for_load_state()  # choices made before the script has loaded have no effect
    page.locator("label", has_text="Admin").click()
    page.locator("#effect").get_by_text("change members").wait_for()
    page.get_by_label("Sales").check()
    page.locator("#effect").get_by_text("Sales").wait_for()
    press(page, "Save")
    assert "Mia Member is Admin now." in page.get_by_role("status").first.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_role_is_changed_in_the_list_by_keyboard(
    scheme: str, *, acme: Acme, home: str, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    page = sign_in(open_page(live_server, color_scheme=scheme), acme.owner)
    page.goto(f"{home}?q=m&sort=-joined")
    opener = page.locator(".panel-menu > summary", has_text="Role of Mia Member")
    opener.press("Enter")
    page.get_by_role("radio", name="Member").wait_for()
    assert not page.locator(".selection").is_visible(), "the chosen role is no selected row"
    check_page(page)
    page.keyboard.press("Escape")
    assert page.get_by_role("radio").count() == 0
    assert "Role of Mia Member" in page.locator(":focus").inner_text()
    page.keyboard.press("Enter")
    page.get_by_role("radio", name="Member").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Saved. Mia Member is Admin now.").wait_for()
    assert page.url.endswith(f"{home}?q=m&sort=-joined")


def test_unreadable_panel_falls_back_to_its_page(
    acme: Acme, home: str, live_server: LiveServer, open_page: Open
) -> None:
    page = sign_in(open_page(live_server), acme.owner)
    page.goto(home)
    page.context.clear_cookies()
    page.locator(".panel-menu > summary").first.click()
    page.wait_for_url("**/sign-in?next=**/role")


@pytest.mark.parametrize("width", [1280, 390])
def test_selection_bar_stays_visible_on_long_pages(
    width: int, *, acme: Acme, home: str, live_server: LiveServer, open_page: Open
) -> None:
    page = sign_in(open_page(live_server, viewport={"width": width, "height": 640}), acme.owner)
    page.goto(home)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    box = page.locator(".side").bounding_box()
    assert (page.evaluate("scrollY > 640"), box["y"]) == (True, 0)


def test_without_script_the_role_links_to_the_member(
    acme: Acme, home: str, live_server: LiveServer, open_page: Open
) -> None:
    page = sign_in(open_page(live_server, java_script_enabled=False), acme.owner)
    page.goto(home)
    page.get_by_role("link", name="Role of Mia Member").click()
    page.wait_for_load_state()
    assert page.url.endswith(f"{home}/{acme.member.id}#role")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_member_is_removed_from_the_menu(
    script: bool, acme: Acme, home: str, live_server: LiveServer, open_page: Open
) -> None:
    page = sign_in(open_page(live_server, java_script_enabled=script), acme.owner)
    page.goto(home)
    menu = page.locator(".row-menu").first
    menu.locator("summary").click()
    menu.get_by_role("link", name="Remove…").click()
    assert heading(page) == "Remove Adam Admin?"
    assert "The API key Nightly, never used." in page.locator("main").inner_text()
    assert page.get_by_label("Take over the pending invitations").is_checked()
    press(page, "Remove Adam Admin")
    assert page.get_by_role("status").first.inner_text().strip() == "Adam Admin is removed."


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_several_members_are_selected_and_removed(
    script: bool, acme: Acme, home: str, live_server: LiveServer, open_page: Open
) -> None:
    page = sign_in(open_page(live_server, java_script_enabled=script), acme.owner)
    page.goto(f"{home}?q=zed")
    page.get_by_label("Select Zed Number 03").check()
    page.get_by_label("Select Zed Number 05").check()
    press(page, "Change role")
    assert heading(page) == "Change the role of 2 people?"
    page.locator("label", has_text="Admin").click()
    press(page, "Change role")
    assert "2 people got another role." in page.get_by_role("status").first.inner_text()
    page.goto(f"{home}?q=zed")
    page.get_by_label("Select Zed Number 03").check()
    page.get_by_role("link", name="Select all 30").click()
    page.wait_for_load_state()
    press(page, "Remove")
    assert heading(page) == "Remove 30 people?"
    press(page, "Remove 30 people")
    assert "30 people removed." in page.get_by_role("status").first.inner_text()
    assert "No member matches “zed”" in page.locator("main").inner_text()
