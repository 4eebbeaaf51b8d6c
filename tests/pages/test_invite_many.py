"""Inviting many: a list is pasted or chosen, mended row by row, sent, and followed on its way."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from invite_app.courier import Courier
from invite_app.db import session
from invite_app.errors import ListTooLong
from invite_app.models import Invitation
from invite_app.services import sheet_text
from tests.pages.test_every_answer import count
from tests.support import html
from tests.support.factories import Acme, configure, invite
from tests.support.mail import SmtpServer
from tests.support.visitor import Visitor

MIB = 1024 * 1024


@pytest.fixture
def start(acme: Acme) -> str:
    return f"/organizations/{acme.id}/invitations/bulk"


def paste(visitor: Visitor, start: str, *lines: str, **fields: object) -> str:
    """The address of the list that was made of these lines."""
    return visitor.go(start, **{"text": "\n".join(lines), "role": "member", **fields})


def told(page: html.Page) -> list[str]:
    """State and reason of each row."""
    cells = [tag for tag in page.all("td") if "cell-why" in tag.attributes.get("class", "")]
    return [" ".join(tag.text.split()) for tag in cells]


def invited(app: Flask) -> list[str]:
    with app.app_context():
        return sorted(session().scalars(select(Invitation.email)))


class TestStart:
    def test_a_pasted_list_is_checked_and_nothing_is_sent(
        self, app: Flask, acme: Acme, owner: Visitor, start: str
    ) -> None:
        page = owner.get(paste(owner, start, "ana@guest.example,Ana,Sousa", "bo@guest.example,Bo,Ek"))
        assert page.texts("h1") == ["Check the list"]
        assert "2 rows. Nothing has been sent yet." in page.texts("p", "facts-line")
        assert "2 of 2 rows are ready to send" in page.texts("h2")
        assert not invited(app)

    def test_a_file_counts_instead(self, owner: Visitor, start: str) -> None:
        file = (BytesIO("email;first name\nzoë@guest.example;Zoë".encode("cp1252")), "list.csv")
        page = owner.get(paste(owner, start, "ignored", file=file))
        assert "Zoë" in page.texts("span", "who-name")

    @pytest.mark.parametrize("text", ["", " \n ", "email,role"])
    def test_an_empty_list_is_said(self, text: str, owner: Visitor, start: str) -> None:
        page = owner.submit(start, text=text, role="member")
        assert page.errors == ["Paste a list, or choose a file with at least one person on it."]

    def test_a_workbook_is_refused_and_what_was_pasted_stays(self, owner: Visitor, start: str) -> None:
        page = owner.submit(start, text="ana@guest.example", role="member", file=(BytesIO(b"PK\x03\x04"), "a.xlsx"))
        assert page.errors == ["This file is not text. Save the sheet as CSV."]
        assert page.value("text") == "ana@guest.example"

    def test_a_file_that_is_refused_is_shown_in_the_box(self, owner: Visitor, start: str) -> None:
        file = (BytesIO(b"a@guest.example\n" * 10_001), "list.csv")
        page = owner.submit(start, role="member", file=file)
        assert page.errors == ["10,001 rows; 10,000 fit. Take some out, and send them as another list."]
        assert page.value("text").startswith("a@guest.example")

    def test_a_role_above_ones_own_is_refused(self, acme: Acme, start: str, visit: Callable[..., Visitor]) -> None:
        page = visit(acme.admin).submit(start, text="ana@guest.example", role="owner")
        assert page.errors == ["You cannot grant Owner: your own role does not let you change settings."]
        assert page.value("text") == "ana@guest.example"

    def test_only_this_form_may_be_large(self, acme: Acme, owner: Visitor, start: str) -> None:
        large = "\n".join(["x" * 100_000] * 21)
        owner.get(paste(owner, start, large))
        answer = owner.client.post(f"{start[:-5]}/new", data={"note": large})
        assert answer.status_code == 413

    def test_a_file_that_is_too_large_is_said_and_what_was_pasted_stays(self, owner: Visitor, start: str) -> None:
        file = FileStorage(BytesIO(b"x" * (10 * MIB + 1)), "list.csv", "file")
        sent = {"csrf_token": owner.token(start), "text": "ana@guest.example", "role": "member", "file": file}
        boundary, body = encode_multipart(sent)
        kind = f"multipart/form-data; boundary={boundary}"
        answer = owner.client.post(start, data=body, content_type=kind)
        page = html.read(answer.text)
        assert answer.status_code == 422
        assert page.errors == ["This file is larger than 10 MiB. Choose a smaller one, or send the list in parts."]
        assert page.value("text") == "ana@guest.example"

    def test_a_file_that_the_script_held_back_is_said_once(self, owner: Visitor, start: str) -> None:
        page = owner.submit(start, text="ana@guest.example", role="member", too_large="yes")
        assert page.errors[0].startswith("This file is larger than 10 MiB.")
        assert page.value("text") == "ana@guest.example"
        assert page.value("too_large") == ""

    def test_a_list_that_is_far_too_long_stays_in_the_box(self, owner: Visitor, start: str) -> None:
        text = "\n".join(["a@guest.example," + "x" * 1100] * 10_001)
        page = owner.submit(start, text=text, role="member")
        assert page.errors == ["10,001 rows; 10,000 fit. Take some out, and send them as another list."]
        assert page.value("text").splitlines() == text.splitlines()

    def test_what_is_too_large_to_be_read_is_said(self, owner: Visitor, start: str) -> None:
        kind = "multipart/form-data; boundary=x"
        size = {"CONTENT_LENGTH": str(33 * MIB)}
        answer = owner.client.post(start, content_type=kind, environ_overrides=size)
        assert answer.status_code == 413
        said = "This is too large: a file may have up to 10 MiB. Go back and send less."
        assert said in html.read(answer.text).texts("p")

    def test_the_free_plan_is_said_at_once_and_refuses(
        self, app: Flask, acme: Acme, owner: Visitor, start: str
    ) -> None:
        with app.app_context():
            configure(acme, plan="free")
        assert "On the free plan nobody can be invited." in owner.get(start).notes[0]
        assert "On the free plan" in owner.submit(start, text="ana@guest.example", role="member").summary[0]

    def test_the_example_is_a_list_that_can_be_chosen(self, owner: Visitor, start: str) -> None:
        text = owner.client.get(f"{start}/example").text
        assert [line.role for line in sheet_text.read(text)] == ["Member", "Admin"]


class TestChecking:
    def test_every_row_says_what_is_wrong(self, app: Flask, acme: Acme, owner: Visitor, start: str) -> None:
        with app.app_context():
            configure(acme, seat_limit=4)
        sheet = paste(
            owner,
            start,
            "ready@guest.example",
            "late@guest.example",
            "no address",
            "role@guest.example,,,Mebmer",
            "slip@gmial.com",
            acme.member.email,
        )
        page = owner.get(sheet)
        assert told(page) == [
            "Fix Enter an email address, like name@example.com.",
            "Fix There is no role “Mebmer” in this organization. Did you mean Member?",
            "Check One letter off gmail.com.",
            "No seat 1 seat is free; this is number 2.",
            "Skipped Already a member, as Member.",
        ]
        assert "1 of 6 rows are ready to send" in page.texts("h2")
        assert told(owner.get(f"{sheet}?section=no_seat")) == ["No seat 1 seat is free; this is number 2."]

    def test_whoever_is_in_or_invited_is_told_as_what_and_since_when(
        self, app: Flask, acme: Acme, owner: Visitor, start: str
    ) -> None:
        invited_on = datetime.now(UTC) - timedelta(days=3)
        with app.app_context(), time_machine.travel(invited_on):
            invite(acme, "bo@guest.example")
        sheet = paste(owner, start, acme.admin.email, "bo@guest.example", "ana@guest.example", "ana@guest.example")
        assert told(owner.get(f"{sheet}?section=skipped")) == [
            "Skipped Already a member, as Admin.",
            f"Skipped Already invited on {invited_on.day} {invited_on:%B}.",
            "Skipped Same address as row 3.",
        ]

    def test_what_a_row_leaves_open_comes_from_the_start(self, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "ana@guest.example", workspaces="Sales", role="admin")
        assert "Admin · Sales" in owner.get(sheet).texts("td", "cell-wide")

    def test_fifty_rows_are_on_a_page(self, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, *(f"no address {number}" for number in range(51)))
        first, second = owner.get(sheet), owner.get(f"{sheet}?section=not_ready&page=2")
        assert (len(told(first)), len(told(second))) == (50, 1)
        assert f"{sheet}?section=not_ready&page=2" in first.links

    def test_the_number_of_queries_does_not_grow(self, app: Flask, owner: Visitor, start: str) -> None:
        few = paste(owner, start, "no address")
        many = paste(owner, start, *(f"no address {number}" for number in range(30)))
        owner.get(few)
        assert count(app, owner, few) == count(app, owner, many) <= 15

    def test_strangers_and_those_who_may_not_invite_see_nothing(
        self, acme: Acme, globex: Acme, owner: Visitor, start: str, visit: Callable[..., Visitor]
    ) -> None:
        sheet = paste(owner, start, "ana@guest.example")
        number = sheet.rpartition("/")[2]
        visit(acme.member).get(sheet, 403)
        visit(globex.owner).get(sheet, 404)
        visit(globex.owner).get(f"/organizations/{globex.id}/invitations/bulk/{number}", 404)


class TestMending:
    def test_a_mended_row_is_ready_and_the_next_one_has_the_focus(self, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "no address", "ana@guest.example", "no address either")
        page = owner.follow(f"{sheet}/rows/1", page=sheet, email="bo@guest.example", section="fix", page_="1")
        assert page.notes == ["Row 1: ready."]
        assert [tag.attributes["aria-label"] for tag in page.all("input", autofocus="")] == ["Email in row 3"]

    def test_a_row_that_is_still_wrong_keeps_what_was_typed_and_the_focus(self, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "no address", "none either")
        page = owner.follow(f"{sheet}/rows/1", page=sheet, email="bo@@guest", section="fix")
        field = page.all("input", autofocus="")[0].attributes
        assert (field["aria-label"], field["value"]) == ("Email in row 1", "bo@@guest")

    @pytest.mark.parametrize(
        ("answer", "address"),
        [({"email": "slip@gmail.com"}, "slip@gmail.com"), ({"keep": "1"}, "slip@gmial.com")],
    )
    def test_a_probable_slip_is_a_question(
        self, answer: dict[str, str], address: str, owner: Visitor, start: str
    ) -> None:
        sheet = paste(owner, start, "slip@gmial.com,Ana,Sousa")
        assert "Use gmail.com in row 1" in owner.get(sheet).texts("button")
        owner.go(f"{sheet}/rows/1", page=sheet, **answer)
        assert owner.get(sheet).texts("span", "who-sub") == [address]

    def test_a_role_is_chosen_and_workspaces_are_written(self, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "a@guest.example,A,A,Nobody", "b@guest.example,B,B,,Nowhere")
        owner.go(f"{sheet}/rows/1", page=sheet, role="admin")
        owner.go(f"{sheet}/rows/2", page=sheet, workspaces="Sales; support")
        assert owner.get(sheet).texts("td", "cell-wide") == ["Admin", "Member · Sales, support"]

    def test_a_row_that_is_not_there_is_said(self, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "no address")
        assert owner.post(f"{sheet}/rows/7", page=sheet, email="a@guest.example").status_code == 404


class TestSending:
    def test_what_is_ready_is_sent_and_the_rest_stays(self, app: Flask, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "ana@guest.example,Ana,Sousa", "no address")
        page = owner.follow(f"{sheet}/send", page=sheet)
        assert page.texts("h1") == ["1 invitation is on the way"]
        assert invited(app) == ["ana@guest.example"]
        page = owner.get(sheet)
        assert "Everything that was ready is sent." in page.texts("h2")
        assert told(owner.get(f"{sheet}?section=sent")) == ["Sent"]

    def test_sending_twice_invites_once(self, app: Flask, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "ana@guest.example")
        owner.go(f"{sheet}/send", page=sheet)
        owner.go(f"{sheet}/send", page=sheet)
        assert invited(app) == ["ana@guest.example"]

    def test_the_rest_is_a_file_that_can_be_chosen_again(self, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "ana@guest.example", "=no address,Ana,Sousa")
        owner.go(f"{sheet}/send", page=sheet)
        answer = owner.client.get(f"{sheet}/rest")
        assert answer.text.splitlines()[1].startswith("'=no address,Ana,Sousa")
        assert [line.given_name for line in sheet_text.read(answer.text)] == ["Ana"]

    def test_starting_over_asks_and_keeps_what_was_sent(self, app: Flask, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "ana@guest.example", "no address")
        owner.go(f"{sheet}/send", page=sheet)
        assert "The 1 invitation that went out." in owner.get(f"{sheet}/start-over").texts("p")
        assert owner.go(f"{sheet}/start-over") == start
        owner.get(sheet, 404)
        assert invited(app) == ["ana@guest.example"]


class TestProgress:
    @pytest.fixture
    def app(self, smtp_app: Flask) -> Flask:
        return smtp_app

    def test_it_renews_itself_until_all_have_been_tried(self, app: Flask, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "ana@guest.example", "bo@guest.example")
        running = owner.follow(f"{sheet}/send", page=sheet)
        assert running.texts("h1") == ["Sending 2 invitations"]
        assert "0 of 2 taken by the mail server" in running.texts("b")
        assert [tag.attributes["content"] for tag in running.all("meta", **{"http-equiv": "refresh"})] == ["5"]
        assert running.all("div", id="progress")[0].attributes["hx-trigger"] == "every 2s"
        with app.app_context():
            Courier(app).run_once()
        done = owner.get(f"{sheet}/progress")
        assert done.texts("h1") == ["2 invitations are on the way"]
        assert "hx-trigger" not in done.all("div", id="progress")[0].attributes
        assert "2 of 2 taken by the mail server" in done.texts("b")

    def test_the_page_that_asked_is_told_when_it_is_over(self, app: Flask, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "ana@guest.example")
        owner.go(f"{sheet}/send", page=sheet)
        with app.app_context():
            Courier(app).run_once()
        page = owner.get(f"{sheet}/progress", headers={"HX-Request": "true"})
        assert "data-reload" in page.all("div", id="progress")[0].attributes
        assert "data-reload" not in owner.get(f"{sheet}/progress").all("div", id="progress")[0].attributes

    def test_failures_have_their_reason_and_are_tried_again(
        self, app: Flask, owner: Visitor, start: str, smtp: SmtpServer
    ) -> None:
        sheet = paste(owner, start, "ana@guest.example", "bo@guest.example")
        owner.go(f"{sheet}/send", page=sheet)
        smtp.fail("550 5.1.1 no such mailbox", at="rcpt", times=1)
        with app.app_context():
            Courier(app).run_once()
        page = owner.get(f"{sheet}/progress")
        assert page.texts("h1") == ["1 is on the way, 1 failed"]
        assert "no such mailbox" in told(page)[0]
        page = owner.follow(f"{sheet}/try-again", page=f"{sheet}/progress")
        assert page.notes == ["1 waits for the mail server again."]
        assert page.texts("h1") == ["Sending 2 invitations"]

    def test_before_anything_is_sent_it_leads_back(self, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "ana@guest.example")
        assert owner.client.get(f"{sheet}/progress").location == sheet


def test_the_ways_to_it(acme: Acme, owner: Visitor, start: str) -> None:
    home = f"/organizations/{acme.id}"
    for path in (f"{home}/", f"{home}/invitations", f"{home}/invitations/new"):
        assert start in owner.get(path).links


def test_numbers_that_no_database_holds_are_those_of_no_row(owner: Visitor, start: str) -> None:
    made = paste(owner, start, "ana@guest.example")
    assert not owner.get(f"{made}?page={'9' * 20}").texts("span", "who-name")
    for number in ("9" * 20, "9" * 5000):
        assert owner.post(f"{made}/rows/{number}", page=made, email="bo@guest.example").status_code == 404


def test_a_workspace_that_no_database_could_hold_is_no_workspace(owner: Visitor, start: str) -> None:
    made = paste(owner, start, "ana@guest.example", workspaces="Sa\0les?")
    assert "Fix" in told(owner.get(made))[0]


def test_of_a_list_that_is_far_too_long_all_rows_are_counted() -> None:
    with pytest.raises(ListTooLong) as refused:
        sheet_text.read("email\n" + "a\n\n" * 12_345)
    assert (refused.value.rows, refused.value.limit) == (12_345, 10_000)
