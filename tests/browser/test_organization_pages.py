"""Roles, API keys, audit, settings, account and passwords in the browser."""

from collections.abc import Callable
from typing import Any

import pytest

from invite_app import tokens
from invite_app.db import session
from invite_app.models import AccountLink
from invite_app.services import accounts, api_keys, members
from invite_app.services.accounts import Purpose
from invite_app.services.api_keys import authentication
from invite_app.worker.sender import OutboxSender
from tests.browser.test_journey import fill, heading, make_acme, press, sign_in
from tests.support.factories import (
    PASSWORD,
    Acme,
    add_member,
    configure,
    invite,
    make_api_key,
    make_link,
    make_member,
    make_organization,
    make_role,
    token_of,
)
from tests.support.mail import SmtpServer
from tests.support.server import LiveServer

CheckPage = Callable[[Any], None]
Open = Callable[..., Any]
LONG = "Wolfeschlegelsteinhausenbergerdorff-" * 2 + "Konstantinopoulou"
NEW = "a phrase that nobody knows"
OWN_DATA = ("/account/data", "/account/delete")


@pytest.fixture
def acme(live_server: LiveServer) -> Acme:
    """Create an organization with a role, a key and an action of each kind, under the longest names."""
    with live_server.app.app_context():
        acme = make_organization(seat_limit=3)
        make_role(acme, "Editor", ["members:read", "members:write"])
        make_role(acme, LONG, ["members:read"])
        make_member(acme, "ed@acme.example", role="editor", given_name="Ed", family_name=LONG)
        make_api_key(acme, name=LONG, role="editor")
        invite_for_role(acme)
        members.offer_transfer(acme.id, acme.admin.id, by=acme.owner.actor)
    return acme


def invite_for_role(acme: Acme) -> None:
    configure(acme, seat_limit=None)
    invite(acme, "ana@guest.example", role="editor")
    configure(acme, seat_limit=3)


def paths(acme: Acme, key: Any) -> list[str]:
    home = f"/organizations/{acme.id}"
    inside = ("", "roles", "roles/new", "roles/editor", "roles/admin", "roles/editor/delete", "roles/admin/delete")
    inside += ("api-keys", "api-keys/new", f"api-keys/{key}/revoke", "audit", "audit?who=nobody", "leave")
    inside += ("settings", "settings/delete")
    return [*(f"{home}/{path}" for path in inside), "/account", "/account/address", "/account/password", *OWN_DATA]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(
    scheme: str, acme: Acme, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    with live_server.app.app_context():
        (key,) = api_keys.list_all(acme.id, by=acme.owner.actor)
    page = sign_in(open_page(live_server, color_scheme=scheme), acme.owner)
    for path in paths(acme, key.id):
        page.goto(path)
        check_page(page)
    asked = sign_in(open_page(live_server, color_scheme=scheme), acme.admin)
    check_page(asked)
    outside = open_page(live_server, color_scheme=scheme)
    for path in ("/sign-in", "/forgot", "/forgot/sent", "/reset/broken", "/account/address/broken"):
        outside.goto(path)
        check_page(outside)


WRONG: dict[str, tuple[str, dict[str, str], str]] = {
    "role": ("roles/new", {"Name": ""}, "Create role"),
    "deletion of a role": ("roles/editor/delete", {}, "Delete role"),
    "key": ("api-keys/new", {"Name": ""}, "Create key"),
    "settings": ("settings", {"Organization name": "", "A link works for": "0"}, "Save settings"),
    "deletion": ("settings/delete", {"Name of the organization": "something"}, "Delete organization"),
    "name": ("/account", {"Given name": "", "Family name": ""}, "Save name"),
    "password": ("/account/password", {"New password": "short"}, "Change password"),
}


@pytest.mark.parametrize("form", WRONG)
def test_errors_take_the_focus(
    form: str, acme: Acme, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    path, typed, button = WRONG[form]
    page = sign_in(open_page(live_server), acme.owner)
    page.goto(path if path.startswith("/") else f"/organizations/{acme.id}/{path}")
    fill(page, typed)
    press(page, button)
    assert page.title().startswith("Problem: ")
    assert "There is a problem" in page.locator(":focus").inner_text()
    check_page(page)
    page.locator(".summary a").first.click()
    assert page.locator(":focus").get_attribute("name"), "the link leads to the field"


def test_role_is_created_changed_and_deleted(acme: Acme, live_server: LiveServer, open_page: Open) -> None:
    page = sign_in(open_page(live_server), acme.owner)
    page.get_by_role("link", name="Roles", exact=True).first.click()
    page.wait_for_load_state()
    page.get_by_role("link", name="New role").click()
    page.wait_for_load_state()
    fill(page, {"Name": "Front desk"})
    page.get_by_label("Invite people").check()
    page.locator("#effect").get_by_text("invite people").wait_for()
    assert page.get_by_label("Name", exact=True).input_value() == "Front desk"
    press(page, "Create role")
    assert "Role Front desk made." in page.get_by_role("status").first.inner_text()

    page.get_by_role("link", name="Editor", exact=True).click()
    page.wait_for_load_state()
    effect = page.locator("#effect")
    page.get_by_label("Change members").uncheck()
    effect.get_by_text("will no longer").wait_for()
    assert "1 member will no longer\nchange members" in effect.inner_text().replace("\n\n", "\n")
    assert "1 pending invitation will carry the changed role." in effect.inner_text()
    press(page, "Save role")

    page.locator("tr", has_text="Editor").locator(".row-menu summary").click()
    page.get_by_role("link", name="Delete…").locator("visible=true").click()
    page.wait_for_load_state()
    page.get_by_label("New role of its members").select_option("front_desk")
    press(page, "Delete role")
    assert "The role Editor is deleted." in page.get_by_role("status").first.inner_text()


def test_key_is_shown_once_and_copied(
    acme: Acme, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    page = sign_in(open_page(live_server, permissions=["clipboard-read", "clipboard-write"]), acme.owner)
    page.goto(f"/organizations/{acme.id}/api-keys")
    page.get_by_role("link", name="New key").click()
    page.wait_for_load_state()
    fill(page, {"Name": "Website", "Last day (optional)": "2999-12-31"})
    press(page, "Create key")
    secret = page.get_by_label("API key", exact=True).input_value()
    check_page(page)
    press(page, "Copy")
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    with live_server.app.app_context():
        assert authentication.authenticate(secret, ip=None).organization_id == acme.id

    page.reload()
    assert heading(page) == "API keys"
    assert "shown already" in page.get_by_role("status").first.inner_text()
    row = page.locator("tr", has_text="Website")
    assert row.count() == 1
    assert secret not in page.content()
    row.locator(".row-menu summary").click()
    row.get_by_role("link", name="Revoke…").click()
    press(page, "Revoke key")
    assert page.locator("tr", has_text="Website").count() == 0


def test_settings_are_saved_and_warn_of_few_seats(
    acme: Acme, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    page = sign_in(open_page(live_server), acme.owner)
    page.goto(f"/organizations/{acme.id}/settings")
    page.get_by_text("2 more seats are in use than the limit allows.").wait_for()
    check_page(page)
    fill(page, {"Seat limit (empty: no limit)": "", "Organization name": "Acme Research", "A link works for": "36"})
    page.get_by_label("Unit").select_option("hours")
    page.get_by_label("Allowed email domains").fill("acme.example\nguest.example")
    press(page, "Save settings")
    assert "Settings saved." in page.get_by_role("status").first.inner_text()
    assert page.locator(".switcher-one").inner_text().endswith("Acme Research")
    assert page.get_by_label("A link works for").input_value() == "36"
    page.get_by_role("link", name="Audit log", exact=True).first.click()
    page.wait_for_load_state()
    assert "Invitation lifetime: 7 days → 36 hours" in page.locator("tbody tr").first.inner_text()


def test_audit_log_filters_while_typing_and_exports(acme: Acme, live_server: LiveServer, open_page: Open) -> None:
    page = sign_in(open_page(live_server), acme.owner)
    page.goto(f"/organizations/{acme.id}/audit")
    page.get_by_label("On whom or what").fill("ana@")
    page.wait_for_url("**whom=ana**")
    page.locator("tbody tr", has_text="Made the").first.wait_for(state="detached")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
        page.wait_for_load_state()
    assert download.value.suggested_filename.startswith("audit-log-")
    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert len(lines) == page.locator("tbody tr").count() + 1
    assert "Invited ana@guest.example" in lines[1]


def test_password_change_signs_out_other_browsers(acme: Acme, live_server: LiveServer, open_page: Open) -> None:
    page, elsewhere = (sign_in(open_page(live_server), acme.owner) for _ in range(2))
    page.locator(".person > summary").click()
    page.get_by_role("link", name="Your account").click()
    page.wait_for_load_state()
    page.get_by_role("link", name="Change password").click()
    page.wait_for_load_state()
    fill(page, {"Present password": PASSWORD, "New password": NEW})
    press(page, "Change password")
    assert "You are signed out everywhere else." in page.get_by_role("status").first.inner_text()
    elsewhere.goto("/account")
    assert heading(elsewhere) == "Sign in"


def test_forgotten_password_is_reset_by_mail(
    serve: Callable[..., LiveServer], smtp: SmtpServer, open_page: Open, check_page: CheckPage
) -> None:
    server = serve(**smtp.environ)
    acme = make_acme(server)
    page = open_page(server)
    page.goto("/sign-in")
    page.get_by_role("link", name="Forgotten your password?").click()
    page.wait_for_load_state()
    press(page, "Send the link")
    check_page(page)
    fill(page, {"Email": acme.owner.email})
    press(page, "Send the link")
    assert heading(page) == "Watch your inbox"
    with server.app.app_context():
        assert OutboxSender(server.app).run_once() == 1
    [mail] = smtp.wait_for(1)
    page.goto(mail.links[0])
    fill(page, {"New password": "short"})
    press(page, "Save and sign in")
    check_page(page)
    fill(page, {"New password": NEW})
    press(page, "Save and sign in")
    assert heading(page) == "Overview"
    page.goto(mail.links[0])
    assert heading(page) == "This link does not work"


def test_reset_page_with_api_keys(
    acme: Acme, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    with live_server.app.app_context():
        path = f"/reset/{make_link(acme.owner, Purpose.RESET)}"
    page = open_page(live_server)
    page.goto(path)
    check_page(page)
    fill(page, {"New password": NEW})
    page.get_by_label("Revoke my API keys too").check()
    press(page, "Save and sign in")
    assert heading(page) == "Overview"


def test_account_is_deleted_without_script(
    acme: Acme, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    seen = sign_in(open_page(live_server), acme.member)
    for path in OWN_DATA:
        seen.goto(path)
        check_page(seen)
    page = sign_in(open_page(live_server, java_script_enabled=False), acme.member)
    page.goto("/account")
    page.get_by_role("link", name="Delete account").click()
    page.wait_for_load_state()
    fill(page, {"Your password": PASSWORD})
    press(page, "Delete account")
    assert heading(page) == "Sign in"
    assert "Your account was deleted." in page.get_by_role("status").first.inner_text()


def test_copied_link_offers_both_ways(
    acme: Acme, live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    with live_server.app.app_context():
        configure(acme, seat_limit=None)
        path = f"/invitations/{token_of(invite(acme, 'bo@guest.example'), copied=True)}"
    page = open_page(live_server)
    page.goto(path)
    check_page(page)
    press(page, "Sign in to accept")
    assert heading(page) == "Sign in"


def test_new_address_is_verified(
    serve: Callable[..., LiveServer], smtp: SmtpServer, open_page: Open, check_page: CheckPage
) -> None:
    server = serve(**smtp.environ)
    acme = make_acme(server)
    page = sign_in(open_page(server), acme.owner)
    page.goto("/account/address")
    check_page(page)
    fill(page, {"New email": "liv@acme.example", "Your password": "wrong"})
    press(page, "Send the link")
    check_page(page)
    with server.app.app_context():
        accounts.request_email_change(acme.owner.id, "liv@acme.example", password=PASSWORD)
        link = session().query(AccountLink).one()
        path = f"/account/address/{tokens.account_token(link.id)}"
    page.goto(path)
    check_page(page)
    press(page, "Confirm the address")
    assert page.locator(".facts-line").inner_text() == "liv@acme.example"


def test_ownership_is_transferred(acme: Acme, live_server: LiveServer, open_page: Open) -> None:
    page = sign_in(open_page(live_server), acme.admin)
    press(page, "Become owner")
    assert "You are an owner of Acme now." in page.get_by_role("status").first.inner_text()
    page.get_by_role("link", name="Settings", exact=True).first.click()
    page.wait_for_load_state()
    assert heading(page) == "Settings"


def test_switcher_opens_the_other_organization(acme: Acme, live_server: LiveServer, open_page: Open) -> None:
    with live_server.app.app_context():
        globex = make_organization("Globex")
        add_member(globex, acme.owner)
    page = sign_in(open_page(live_server), acme.owner)
    page.goto(f"/organizations/{acme.id}/")
    page.locator(".switcher > summary").click()
    page.get_by_role("link", name="Globex").click()
    page.wait_for_load_state()
    assert page.url.endswith(f"/organizations/{globex.id}/")
    assert page.get_by_role("link", name="Settings", exact=True).count() == 0, "Olivia is only a member here"
    page.goto("/account")
    assert "Globex" in page.locator(".switcher > summary").inner_text()


@pytest.mark.parametrize("path", ["roles/new", "settings", "audit"])
def test_pages_work_without_script(path: str, acme: Acme, live_server: LiveServer, open_page: Open) -> None:
    page = sign_in(open_page(live_server, java_script_enabled=False), acme.owner)
    page.goto(f"/organizations/{acme.id}/{path}")
    if path == "roles/new":
        fill(page, {"Name": "Front desk"})
        page.get_by_label("Invite people").check()
        press(page, "Preview")
        assert "invite people" in page.locator("#effect").inner_text()
        press(page, "Create role")
        assert heading(page) == "Roles"
    elif path == "settings":
        fill(page, {"Organization name": "Acme Research"})
        press(page, "Save settings")
        assert "Settings saved." in page.get_by_role("status").first.inner_text()
    else:
        page.get_by_label("On whom or what").fill("ana@")
        press(page, "Apply")
        assert "Invited ana@guest.example" in page.locator("tbody").inner_text()
        assert "whom=ana" in str(page.get_by_role("link", name="Export CSV").get_attribute("href"))
