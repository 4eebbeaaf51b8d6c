"""Imports: a list is pasted or uploaded, corrected row by row, sent, and followed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from invite_app.db import session
from invite_app.errors import TooManyRows
from invite_app.models import Invitation
from invite_app.services import imports
from invite_app.worker.sender import OutboxSender
from tests.support import html
from tests.support.factories import Acme, configure, invite
from tests.support.mail import SmtpServer
from tests.support.statements import count_statements
from tests.support.visitor import Visitor

MIB = 1024 * 1024


@pytest.fixture
def start(acme: Acme) -> str:
    return f"/organizations/{acme.id}/invitations/bulk"


def paste(visitor: Visitor, start: str, *lines: str, **fields: object) -> str:
    """Paste these rows; return the path of the import."""
    return visitor.go(start, **{"text": "\n".join(lines), "role": "member", **fields})


def results(page: html.Page) -> list[str]:
    """Return state and reason of each row."""
    cells = [tag for tag in page.all("td") if "cell-why" in tag.attributes.get("class", "")]
    return [" ".join(tag.text.split()) for tag in cells]


def invited(app: Flask) -> list[str]:
    with app.app_context():
        return sorted(session().scalars(select(Invitation.email)))


class TestStart:
    def test_pasted_list_is_validated_and_not_sent(self, app: Flask, acme: Acme, owner: Visitor, start: str) -> None:
        page = owner.get(paste(owner, start, "ana@guest.example,Ana,Sousa", "bo@guest.example,Bo,Ek"))
        assert page.texts("h1") == ["Check the list"]
        assert "2 rows. Nothing has been sent yet." in page.texts("p", "facts-line")
        assert "2 of 2 rows are ready to send" in page.texts("h2")
        assert not invited(app)

    def test_file_replaces_pasted_text(self, owner: Visitor, start: str) -> None:
        file = (BytesIO("email;first name\nzoë@guest.example;Zoë".encode("cp1252")), "list.csv")
        page = owner.get(paste(owner, start, "ignored", file=file))
        assert "Zoë" in page.texts("span", "who-name")

    @pytest.mark.parametrize("text", ["", " \n ", "email,role"])
    def test_empty_list_is_reported(self, text: str, owner: Visitor, start: str) -> None:
        page = owner.submit(start, text=text, role="member")
        assert page.errors == ["Paste a list, or choose a file with at least one person on it."]

    def test_workbook_is_refused_and_pasted_text_kept(self, owner: Visitor, start: str) -> None:
        page = owner.submit(start, text="ana@guest.example", role="member", file=(BytesIO(b"PK\x03\x04"), "a.xlsx"))
        assert page.errors == ["This file is not text. Save the sheet as CSV."]
        assert page.value("text") == "ana@guest.example"

    def test_refused_file_is_shown_in_the_box(self, owner: Visitor, start: str) -> None:
        file = (BytesIO(b"a@guest.example\n" * 10_001), "list.csv")
        page = owner.submit(start, role="member", file=file)
        assert page.errors == ["10,001 rows; 10,000 fit. Take some out, and send them as another list."]
        assert page.value("text").startswith("a@guest.example")

    def test_role_above_ones_own_is_refused(self, acme: Acme, start: str, visit: Callable[..., Visitor]) -> None:
        page = visit(acme.admin).submit(start, text="ana@guest.example", role="owner")
        assert page.errors == ["You cannot grant Owner: your own role does not let you change settings."]
        assert page.value("text") == "ana@guest.example"

    def test_only_this_form_may_be_large(self, acme: Acme, owner: Visitor, start: str) -> None:
        large = "\n".join(["x" * 100_000] * 21)
        owner.get(paste(owner, start, large))
        answer = owner.client.post(f"{start[:-5]}/new", data={"note": large})
        assert answer.status_code == 413

    def test_oversized_file_is_reported_and_pasted_text_kept(self, owner: Visitor, start: str) -> None:
        file = FileStorage(BytesIO(b"x" * (10 * MIB + 1)), "list.csv", "file")
        sent = {"csrf_token": owner.token(start), "text": "ana@guest.example", "role": "member", "file": file}
        boundary, body = encode_multipart(sent)
        kind = f"multipart/form-data; boundary={boundary}"
        answer = owner.client.post(start, data=body, content_type=kind)
        page = html.read(answer.text)
        assert answer.status_code == 422
        assert page.errors == ["This file is larger than 10 MiB. Choose a smaller one, or send the list in parts."]
        assert page.value("text") == "ana@guest.example"

    def test_file_rejected_by_script_is_reported_once(self, owner: Visitor, start: str) -> None:
        page = owner.submit(start, text="ana@guest.example", role="member", too_large="yes")
        assert page.errors[0].startswith("This file is larger than 10 MiB.")
        assert page.value("text") == "ana@guest.example"
        assert page.value("too_large") == ""

    def test_oversized_list_stays_in_the_box(self, owner: Visitor, start: str) -> None:
        text = "\n".join(["a@guest.example," + "x" * 1100] * 10_001)
        page = owner.submit(start, text=text, role="member")
        assert page.errors == ["10,001 rows; 10,000 fit. Take some out, and send them as another list."]
        assert page.value("text").splitlines() == text.splitlines()

    def test_input_too_large_to_read_is_reported(self, owner: Visitor, start: str) -> None:
        kind = "multipart/form-data; boundary=x"
        size = {"CONTENT_LENGTH": str(33 * MIB)}
        answer = owner.client.post(start, content_type=kind, environ_overrides=size)
        assert answer.status_code == 413
        said = "This is too large: a file may have up to 10 MiB. Go back and send less."
        assert said in html.read(answer.text).texts("p")

    def test_free_plan_is_shown_and_refused(self, app: Flask, acme: Acme, owner: Visitor, start: str) -> None:
        with app.app_context():
            configure(acme, plan="free")
        assert "On the free plan nobody can be invited." in owner.get(start).notes[0]
        assert "On the free plan" in owner.submit(start, text="ana@guest.example", role="member").summary[0]

    def test_example_file_is_a_valid_list(self, owner: Visitor, start: str) -> None:
        text = owner.client.get(f"{start}/example").text
        assert [line.role for line in imports.parse(text)] == ["Member", "Admin"]


class TestReview:
    def test_every_row_shows_its_errors(self, app: Flask, acme: Acme, owner: Visitor, start: str) -> None:
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
        assert results(page) == [
            "Fix Enter an email address, like name@example.com.",
            "Fix There is no role “Mebmer” in this organization. Did you mean Member?",
            "Check One letter off gmail.com.",
            "No seat 1 seat is free; this is number 2.",
            "Skipped Already a member, as Member.",
        ]
        assert "1 of 6 rows are ready to send" in page.texts("h2")
        assert results(owner.get(f"{sheet}?section=no_seat")) == ["No seat 1 seat is free; this is number 2."]

    def test_members_and_invitees_are_shown_with_date(
        self, app: Flask, acme: Acme, owner: Visitor, start: str
    ) -> None:
        invited_on = datetime.now(UTC) - timedelta(days=3)
        with app.app_context(), time_machine.travel(invited_on):
            invite(acme, "bo@guest.example")
        sheet = paste(owner, start, acme.admin.email, "bo@guest.example", "ana@guest.example", "ana@guest.example")
        assert results(owner.get(f"{sheet}?section=skipped")) == [
            "Skipped Already a member, as Admin.",
            f"Skipped Already invited on {invited_on.day} {invited_on:%B}.",
            "Skipped Same address as row 3.",
        ]

    def test_missing_values_come_from_the_defaults(self, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "ana@guest.example", workspaces="Sales", role="admin")
        assert "Admin · Sales" in owner.get(sheet).texts("td", "cell-wide")

    def test_page_has_fifty_rows(self, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, *(f"no address {number}" for number in range(51)))
        first, second = owner.get(sheet), owner.get(f"{sheet}?section=not_ready&page=2")
        assert (len(results(first)), len(results(second))) == (50, 1)
        assert f"{sheet}?section=not_ready&page=2" in first.links

    def test_query_count_does_not_grow_with_rows(self, app: Flask, owner: Visitor, start: str) -> None:
        few = paste(owner, start, "no address")
        many = paste(owner, start, *(f"no address {number}" for number in range(30)))
        owner.get(few)
        assert count_statements(app, owner, few) == count_statements(app, owner, many) <= 15

    def test_strangers_and_non_inviters_see_nothing(
        self, acme: Acme, globex: Acme, owner: Visitor, start: str, visit: Callable[..., Visitor]
    ) -> None:
        sheet = paste(owner, start, "ana@guest.example")
        number = sheet.rpartition("/")[2]
        visit(acme.member).get(sheet, 403)
        visit(globex.owner).get(sheet, 404)
        visit(globex.owner).get(f"/organizations/{globex.id}/invitations/bulk/{number}", 404)


class TestCorrecting:
    def test_corrected_row_is_ready_and_focus_moves_on(self, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "no address", "ana@guest.example", "no address either")
        page = owner.follow(f"{sheet}/rows/1", page=sheet, email="bo@guest.example", section="fix", page_="1")
        assert page.notes == ["Row 1: ready."]
        assert [tag.attributes["aria-label"] for tag in page.all("input", autofocus="")] == ["Email in row 3"]

    def test_invalid_row_keeps_input_and_focus(self, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "no address", "none either")
        page = owner.follow(f"{sheet}/rows/1", page=sheet, email="bo@@guest", section="fix")
        field = page.all("input", autofocus="")[0].attributes
        assert (field["aria-label"], field["value"]) == ("Email in row 1", "bo@@guest")

    @pytest.mark.parametrize(
        ("answer", "address"),
        [({"email": "slip@gmail.com"}, "slip@gmail.com"), ({"keep": "1"}, "slip@gmial.com")],
    )
    def test_probable_typo_is_asked_about(
        self, answer: dict[str, str], address: str, owner: Visitor, start: str
    ) -> None:
        sheet = paste(owner, start, "slip@gmial.com,Ana,Sousa")
        assert "Use gmail.com in row 1" in owner.get(sheet).texts("button")
        owner.go(f"{sheet}/rows/1", page=sheet, **answer)
        assert owner.get(sheet).texts("span", "who-sub") == [address]

    def test_role_is_selected_and_workspaces_are_typed(self, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "a@guest.example,A,A,Nobody", "b@guest.example,B,B,,Nowhere")
        owner.go(f"{sheet}/rows/1", page=sheet, role="admin")
        owner.go(f"{sheet}/rows/2", page=sheet, workspaces="Sales; support")
        assert owner.get(sheet).texts("td", "cell-wide") == ["Admin", "Member · Sales, support"]

    def test_unknown_row_is_reported(self, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "no address")
        assert owner.post(f"{sheet}/rows/7", page=sheet, email="a@guest.example").status_code == 404


class TestSending:
    def test_ready_rows_are_sent_and_others_stay(self, app: Flask, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "ana@guest.example,Ana,Sousa", "no address")
        page = owner.follow(f"{sheet}/send", page=sheet)
        assert page.texts("h1") == ["1 invitation is on the way"]
        assert invited(app) == ["ana@guest.example"]
        page = owner.get(sheet)
        assert "Everything that was ready is sent." in page.texts("h2")
        assert results(owner.get(f"{sheet}?section=sent")) == ["Sent"]

    def test_sending_twice_invites_once(self, app: Flask, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "ana@guest.example")
        owner.go(f"{sheet}/send", page=sheet)
        owner.go(f"{sheet}/send", page=sheet)
        assert invited(app) == ["ana@guest.example"]

    def test_unsent_rows_are_a_file_to_import_again(self, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "ana@guest.example", "=no address,Ana,Sousa")
        owner.go(f"{sheet}/send", page=sheet)
        answer = owner.client.get(f"{sheet}/rest")
        assert answer.text.splitlines()[1].startswith("'=no address,Ana,Sousa")
        assert [line.given_name for line in imports.parse(answer.text)] == ["Ana"]

    def test_starting_over_asks_first_and_keeps_sent_invitations(
        self, app: Flask, owner: Visitor, start: str
    ) -> None:
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

    def test_page_reloads_until_all_rows_are_tried(self, app: Flask, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "ana@guest.example", "bo@guest.example")
        running = owner.follow(f"{sheet}/send", page=sheet)
        assert running.texts("h1") == ["Sending 2 invitations"]
        assert "0 of 2 taken by the mail server" in running.texts("b")
        assert [tag.attributes["content"] for tag in running.all("meta", **{"http-equiv": "refresh"})] == ["5"]
        assert running.all("div", id="progress")[0].attributes["hx-trigger"] == "every 2s"
        with app.app_context():
            OutboxSender(app).run_once()
        done = owner.get(f"{sheet}/progress")
        assert done.texts("h1") == ["2 invitations are on the way"]
        assert "hx-trigger" not in done.all("div", id="progress")[0].attributes
        assert "2 of 2 taken by the mail server" in done.texts("b")

    def test_script_learns_when_sending_is_over(self, app: Flask, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "ana@guest.example")
        owner.go(f"{sheet}/send", page=sheet)
        with app.app_context():
            OutboxSender(app).run_once()
        page = owner.get(f"{sheet}/progress", headers={"HX-Request": "true"})
        assert "data-reload" in page.all("div", id="progress")[0].attributes
        assert "data-reload" not in owner.get(f"{sheet}/progress").all("div", id="progress")[0].attributes

    def test_failures_show_reasons_and_are_retried(
        self, app: Flask, owner: Visitor, start: str, smtp: SmtpServer
    ) -> None:
        sheet = paste(owner, start, "ana@guest.example", "bo@guest.example")
        owner.go(f"{sheet}/send", page=sheet)
        smtp.fail("550 5.1.1 no such mailbox", at="rcpt", times=1)
        with app.app_context():
            OutboxSender(app).run_once()
        page = owner.get(f"{sheet}/progress")
        assert page.texts("h1") == ["1 is on the way, 1 failed"]
        assert "no such mailbox" in results(page)[0]
        page = owner.follow(f"{sheet}/try-again", page=f"{sheet}/progress")
        assert page.notes == ["1 waits for the mail server again."]
        assert page.texts("h1") == ["Sending 2 invitations"]

    def test_unsent_import_redirects_back(self, owner: Visitor, start: str) -> None:
        sheet = paste(owner, start, "ana@guest.example")
        assert owner.client.get(f"{sheet}/progress").location == sheet


def test_import_is_linked_from_three_pages(acme: Acme, owner: Visitor, start: str) -> None:
    home = f"/organizations/{acme.id}"
    for path in (f"{home}/", f"{home}/invitations", f"{home}/invitations/new"):
        assert start in owner.get(path).links


def test_unstorable_row_numbers_match_no_row(owner: Visitor, start: str) -> None:
    made = paste(owner, start, "ana@guest.example")
    assert not owner.get(f"{made}?page={'9' * 20}").texts("span", "who-name")
    for number in ("9" * 20, "9" * 5000):
        assert owner.post(f"{made}/rows/{number}", page=made, email="bo@guest.example").status_code == 404


def test_unstorable_workspace_name_matches_no_workspace(owner: Visitor, start: str) -> None:
    made = paste(owner, start, "ana@guest.example", workspaces="Sa\0les?")
    assert "Fix" in results(owner.get(made))[0]


def test_oversized_list_counts_all_its_rows() -> None:
    with pytest.raises(TooManyRows) as refused:
        imports.parse("email\n" + "a\n\n" * 12_345)
    assert (refused.value.rows, refused.value.limit) == (12_345, 10_000)
