"""The main journey, end to end: from an empty server to an invited person in the list of members."""

from collections.abc import Callable
from typing import Any

import pytest

from invite_app import tokens
from tests.support.factories import (
    PASSWORD,
    Acme,
    Person,
    configure,
    invite,
    make_organization,
    make_person,
    token_of,
)
from tests.support.mail import SmtpServer
from tests.support.server import LiveServer

NEW_PASSWORD = "a few words in a row"
CheckPage = Callable[[Any], None]
Open = Callable[..., Any]


def setup_link(server: LiveServer) -> str:
    with server.app.app_context():
        return f"/setup?token={tokens.setup_token()}"


def make_acme(server: LiveServer) -> Acme:
    with server.app.app_context():
        return make_organization()


def link_of(server: LiveServer, acme: Acme, **draft: Any) -> str:
    with server.app.app_context():
        return f"/invitations/{token_of(invite(acme, **draft))}"


def sign_in(page: Any, person: Person) -> Any:
    page.goto("/sign-in")
    fill(page, {"Email": person.email, "Password": PASSWORD})
    press(page, "Sign in")
    page.wait_for_url("**/organizations/**")
    return page


def fill(page: Any, values: dict[str, str]) -> None:
    for label, value in values.items():
        page.get_by_label(label, exact=True).fill(value)


def press(page: Any, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_load_state()


def heading(page: Any) -> str:
    return str(page.locator("h1").inner_text())


@pytest.mark.parametrize("https", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_from_empty_server_to_new_member(
    *,
    https: bool,
    script: bool,
    serve: Callable[..., LiveServer],
    open_page: Open,
    smtp: SmtpServer,
    check_page: CheckPage,
) -> None:
    server = serve(https=https, **smtp.environ)
    examine = check_page if script else lambda _: None
    ada, ana = (open_page(server, java_script_enabled=script) for _ in range(2))

    ada.goto(setup_link(server))
    examine(ada)
    fill(ada, {"Organization": "Northwind Research", "Your given name": "Ada", "Your family name": "Lindqvist"})
    fill(ada, {"Your email": "ada@northwind.example", "Choose a password": NEW_PASSWORD})
    press(ada, "Create organization")
    assert heading(ada) == "Overview"
    examine(ada)

    ada.get_by_role("link", name="Workspaces").first.click()
    ada.wait_for_load_state()
    examine(ada)
    ada.get_by_role("link", name="New workspace").first.click()
    ada.wait_for_load_state()
    fill(ada, {"Name": "Research"})
    examine(ada)
    press(ada, "Create workspace")

    ada.get_by_role("link", name="Overview").first.click()
    ada.wait_for_load_state()
    ada.get_by_role("link", name="Invite", exact=True).click()
    ada.wait_for_load_state()
    fill(ada, {"Given name": "Ana", "Family name": "Sousa", "Email": "ana@guest.example"})
    ada.get_by_label("Research").check()
    ada.get_by_label("Personal note").fill("Start with the Halberd folder.")
    examine(ada)
    press(ada, "Send invitation")
    assert "Invitation sent to Ana Sousa." in ada.get_by_role("status").first.inner_text()
    examine(ada)

    [message] = smtp.wait_for(1)
    ana.goto(message.links[0])
    assert heading(ana) == "Ada Lindqvist invites you to join Northwind Research"
    examine(ana)
    press(ana, "Accept and join")
    assert ana.title().startswith("Problem: ")
    examine(ana)
    fill(ana, {"Choose a password": NEW_PASSWORD})
    press(ana, "Accept and join")
    assert heading(ana) == "Overview"

    ada.get_by_role("link", name="Members", exact=True).first.click()
    ada.wait_for_load_state()
    assert "Ana Sousa" in ada.locator("table").inner_text()
    examine(ada)
    ana.goto(message.links[0])
    assert heading(ana) == "You are already in"
    examine(ana)


def test_existing_account_signs_in_and_joins(live_server: LiveServer, open_page: Open, check_page: CheckPage) -> None:
    acme = make_acme(live_server)
    with live_server.app.app_context():
        bo = make_person("bo@guest.example")
    page = open_page(live_server)
    page.goto(link_of(live_server, acme, email=bo.email))
    check_page(page)
    press(page, "Sign in to accept")
    assert page.url == f"{live_server.url}/sign-in"
    assert page.get_by_label("Email").input_value() == bo.email
    fill(page, {"Password": PASSWORD})
    press(page, "Sign in")
    check_page(page)
    press(page, "Accept and join")
    assert heading(page) == "Overview"


def test_wrong_account_can_sign_out_and_continue(
    live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    acme = make_acme(live_server)
    page = sign_in(open_page(live_server), acme.member)
    link = link_of(live_server, acme)
    page.goto(link)
    assert heading(page) == "This invitation is for another address"
    check_page(page)
    page.get_by_role("link", name="Stay signed in").click()
    page.wait_for_load_state()
    assert heading(page) == "Overview"
    page.goto(link)
    press(page, "Sign out and continue")
    fill(page, {"Given name": "Ana", "Family name": "Sousa", "Choose a password": NEW_PASSWORD})
    press(page, "Accept and join")
    assert heading(page) == "Overview"


def test_declining_offers_a_message(live_server: LiveServer, open_page: Open, check_page: CheckPage) -> None:
    acme = make_acme(live_server)
    page = open_page(live_server)
    page.goto(link_of(live_server, acme))
    page.get_by_role("link", name="Decline").click()
    page.wait_for_load_state()
    check_page(page)
    page.get_by_label("A word to the admin").fill("I am leaving.")
    press(page, "Decline")
    assert heading(page) == "You declined"
    check_page(page)


def test_accepting_redirects_to_an_allowed_app(live_server: LiveServer, open_page: Open) -> None:
    """The browser checks redirects after a form against the page's policy, which names that origin."""
    acme = make_acme(live_server)
    with live_server.app.app_context():
        configure(acme, allowed_origins=["https://app.example.com"])
    page = open_page(live_server)
    page.watch.allow("request to another host: https://app.example.com/")
    page.goto(link_of(live_server, acme, redirect_uri="https://app.example.com/welcome"))
    fill(page, {"Given name": "Ana", "Family name": "Sousa", "Choose a password": NEW_PASSWORD})
    with page.expect_request("https://app.example.com/welcome"):
        press(page, "Accept and join")


def test_local_outbox_opens_mail_and_its_link(
    live_server: LiveServer, open_page: Open, check_page: CheckPage
) -> None:
    acme = make_acme(live_server)
    link_of(live_server, acme, given_name="Ana", family_name="Sousa")
    page = sign_in(open_page(live_server), acme.owner)
    page.goto("/outbox")
    check_page(page)
    page.get_by_role("link", name="Ana Sousa").click()
    page.wait_for_load_state()
    check_page(page)
    with page.context.expect_page() as opened:
        page.frame_locator("iframe").get_by_role("link", name="Accept the invitation").click()
    invitation = opened.value
    invitation.wait_for_load_state()
    assert heading(invitation) == "This invitation is for another address"
    press(invitation, "Sign out and continue")
    fill(invitation, {"Choose a password": NEW_PASSWORD})
