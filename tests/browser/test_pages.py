"""Every page in light and dark, on the smallest screen, with errors, and with script."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from invite_app.services import invitations
from tests.browser.test_journey import fill, press, sign_in
from tests.support.factories import (
    OPERATOR,
    expire,
    invite,
    make_member,
    make_organization,
    make_person,
    set_delivery,
    token_of,
)
from tests.support.server import LiveServer

CheckPage = Callable[[Any], None]
Open = Callable[..., Any]
LONG = "Wolfeschlegelsteinhausenbergerdorff-" * 2 + "Konstantinopoulou"
WORKSPACES = [LONG, *(f"Workspace number {number}" for number in range(1, 9))]


@pytest.fixture
def places(live_server: LiveServer) -> dict[str, Any]:
    """Create an organization with an invitation in every state; return the paths of all its pages."""
    with live_server.app.app_context():
        acme = make_organization(seat_limit=12, workspace_names=WORKSPACES)
        make_person("known@guest.example")
        make_member(acme, f"{'long' * 15}@guest.example", given_name=LONG, family_name=LONG)
        made = {
            name: invite(
                acme, f"{name}@guest.example", given_name=name.capitalize(), workspace_ids=acme.workspaces[:3]
            )
            for name in ("plain", "known", "failed", "late", "gone", "declined")
        }
        made["long"] = invite(acme, "long@guest.example", given_name=LONG, family_name=LONG, note=LONG * 5)
        links = {name: f"/invitations/{token_of(row)}" for name, row in made.items()}
        set_delivery(made["failed"], state="failed", reason="550 5.1.1 there is no such mailbox here")
        expire(made["late"], timedelta(days=3))
        invitations.revoke(acme.id, made["gone"].id, by=OPERATOR)
        invitations.decline(token_of(made["declined"]), word="I am leaving.")
    home = f"/organizations/{acme.id}"
    one = f"{home}/invitations/{made['plain'].id}"
    return {
        "acme": acme,
        "home": home,
        "outside": ["/sign-in", "/setup", *links.values(), f"{links['plain']}/decline", "/invitations/broken"],
        "inside": [
            *(
                f"{home}{path}"
                for path in ("/", "/members", "/members?q=zoe", "/workspaces", "/workspaces/new", "/leave")
            ),
            *(f"{home}/invitations?state={state}" for state in ("pending", "undelivered", "accepted", "all")),
            f"{home}/invitations/new",
            f"{home}/workspaces/{acme.workspaces[0]}/delete",
            *(f"{home}/invitations/{row.id}" for row in made.values()),
            *(f"{one}/{action}" for action in ("edit", "revoke", "link")),
            "/outbox",
            "/nowhere",
            links["plain"],
        ],
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(
    scheme: str, places: dict[str, Any], live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    outside, inside = (open_page(live_server, color_scheme=scheme) for _ in range(2))
    sign_in(inside, places["acme"].owner)
    for page, paths in ((outside, places["outside"]), (inside, places["inside"])):
        for path in paths:
            page.goto(path)
            check_page(page)


def test_errors_take_focus_and_link_to_their_fields(
    places: dict[str, Any], live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    page = sign_in(open_page(live_server), places["acme"].owner)
    page.goto(f"{places['home']}/invitations/new")
    fill(page, {"Given name": "Ana", "Email": "ana@"})
    press(page, "Send invitation")
    assert "There is a problem" in page.locator(":focus").inner_text()
    check_page(page)
    page.get_by_role("link", name="Enter a family name.").click()
    page.wait_for_load_state()
    assert page.locator(":focus").get_attribute("id") == "family_name"
    assert page.get_by_label("Given name", exact=True).input_value() == "Ana"


def test_preview_follows_the_choices(places: dict[str, Any], live_server: LiveServer, open_page: Open) -> None:
    page = sign_in(open_page(live_server), places["acme"].owner)
    page.goto(f"{places['home']}/invitations/new")
    effect = page.locator("#preview")
    page.get_by_label("Role", exact=True).select_option("admin")
    effect.get_by_text("invite people").wait_for()
    page.get_by_label(WORKSPACES[3]).check()
    effect.get_by_text(WORKSPACES[3]).first.wait_for()
    page.get_by_label("Given name", exact=True).fill("Ana")
    page.get_by_label("Family name", exact=True).focus()
    effect.get_by_text("Hello Ana").wait_for()
    assert page.url.endswith("/invitations/new")
    assert not page.locator(".field-error").count()


def test_list_filters_while_typing(places: dict[str, Any], live_server: LiveServer, open_page: Open) -> None:
    page = sign_in(open_page(live_server), places["acme"].owner)
    page.goto(f"{places['home']}/invitations")
    page.get_by_role("searchbox").fill("plain")
    page.wait_for_url("**q=plain**")
    page.get_by_role("cell", name="Failed").wait_for(state="detached")
    assert page.locator("tbody tr").count() == 1


def test_menus_open_and_close_by_keyboard(
    places: dict[str, Any], live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    page = sign_in(open_page(live_server), places["acme"].owner)
    page.goto(f"{places['home']}/invitations")
    menu = page.locator(".row-menu").first
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    check_page(page)
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None


def test_color_scheme_is_remembered(places: dict[str, Any], live_server: LiveServer, open_page: Open) -> None:
    page = sign_in(open_page(live_server), places["acme"].owner)
    page.locator(".person > summary").click()
    press(page, "Dark")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.goto("/sign-in")
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_typed_text_returns_after_signing_in_again(
    places: dict[str, Any], live_server: LiveServer, open_page: Open
) -> None:
    acme = places["acme"]
    page = sign_in(open_page(live_server), acme.owner)
    page.goto(f"{places['home']}/invitations/new")
    fill(page, {"Given name": "Ana", "Personal note (optional)": "Start with the Halberd folder."})
    beside = page.context.new_page()
    beside.goto(f"{places['home']}/")
    beside.locator(".person > summary").click()
    press(beside, "Sign out")
    press(page, "Send invitation")
    assert "what you typed is kept" in page.get_by_role("status").first.inner_text()
    fill(page, {"Email": acme.owner.email, "Password": "correct horse battery staple"})
    press(page, "Sign in")
    page.wait_for_url("**/invitations/new")
    assert page.get_by_label("Personal note").input_value() == "Start with the Halberd folder."
