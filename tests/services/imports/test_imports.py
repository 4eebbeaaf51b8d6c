"""Imports of pasted lists: validation, corrections, and sending."""

import csv
import io

import pytest
from flask.ctx import AppContext

from invite_app.errors import (
    CannotGrantRole,
    EmptyImport,
    ImportNotFound,
    PermissionDenied,
    PlanUpgradeRequired,
    TooManyRows,
    UnreadableImport,
)
from invite_app.models import Import
from invite_app.services import imports, invitations, organizations
from invite_app.services.imports import actions
from invite_app.services.imports.parser import ImportLine
from tests.support.factories import OPERATOR, Acme, invite, make_organization

pytestmark = pytest.mark.usefixtures("app_context")


@pytest.fixture
def acme(app_context: AppContext) -> Acme:
    return make_organization()


def paste(acme: Acme, *lines: str, role: str = "member") -> Import:
    return imports.create(acme.id, imports.parse("\n".join(lines)), by=acme.owner.actor, role=role)


def results(acme: Acme, sheet: Import, section: str = "not_ready") -> list[tuple[int, str, str]]:
    rows = imports.list_rows(acme.id, sheet.id, section, by=acme.owner.actor)
    return [(shown.row.position, shown.state, shown.row.field) for shown in rows]


class TestParsing:
    @pytest.mark.parametrize(
        "text",
        [
            "ana@guest.example,Ana,Sousa,admin,Sales;Support",
            "ana@guest.example;Ana;Sousa;admin;Sales|Support",
            "ana@guest.example\tAna\tSousa\tadmin\tSales;Support",
            'Role,Surname,E-mail,First name,Workspaces\nadmin,Sousa,ana@guest.example,Ana,"Sales; Support"',
            '\ufeffemail,given_name,family_name,role,workspaces\r\n"ana@guest.example","Ana","Sousa",admin,Sales;Support\r\n',
        ],
    )
    def test_accepts_common_spreadsheet_formats(self, text: str) -> None:
        assert imports.parse(text) == [ImportLine("ana@guest.example", "Ana", "Sousa", "admin", ("Sales", "Support"))]

    def test_parses_its_own_output(self) -> None:
        lines = [
            ImportLine("a@guest.example", 'A "the first"', "B,C", "member", ("Sales", "Support")),
            ImportLine("b@guest.example"),
        ]
        text = io.StringIO()
        csv.writer(text).writerows(imports.format_rows(lines))
        assert imports.parse(text.getvalue()) == lines

    @pytest.mark.parametrize("data", [b"PK\x03\x04 a workbook", b"%PDF-1.7", b"a\x00b"])
    def test_refuses_binary_data(self, data: bytes) -> None:
        with pytest.raises(UnreadableImport):
            imports.decode(data)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    def test_decodes_common_encodings(self, encoding: str) -> None:
        assert imports.decode("Zoë,Müller".encode(encoding)) == "Zoë,Müller"

    @pytest.mark.parametrize("text", ["", "\n \n", "email,role\n"])
    def test_refuses_an_empty_list(self, text: str) -> None:
        with pytest.raises(EmptyImport):
            imports.parse(text)

    def test_refuses_too_many_rows(self) -> None:
        with pytest.raises(TooManyRows):
            imports.parse("a@guest.example\n" * 10_001)


class TestValidating:
    def test_reports_each_rows_error_and_column(self, acme: Acme) -> None:
        invite(acme, "invited@guest.example")
        sheet = paste(
            acme,
            "ready@guest.example,Ana,Sousa",
            "no address,B,B",
            "role@guest.example,C,C,Enginer",
            "space@guest.example,D,D,member,Nowhere",
            "slip@gmial.com,E,E",
            "ready@guest.example,Ana,Again",
            f"{acme.member.email},F,F",
            "invited@guest.example,G,G",
            f"long@guest.example,{'x' * 101},H",
        )
        assert results(acme, sheet) == [
            (2, "fix", "email"),
            (3, "fix", "role"),
            (4, "fix", "workspaces"),
            (9, "fix", "given_name"),
            (5, "check", "email"),
            (6, "skipped", "email"),
            (7, "skipped", "email"),
            (8, "skipped", "email"),
        ]
        assert results(acme, sheet, "ready") == [(1, "ready", "")]

    def test_counts_the_seats_currently_left(self, acme: Acme) -> None:
        organizations.change(acme.id, organizations.Changes(seat_limit=5), by=OPERATOR)
        sheet = paste(acme, *(f"guest{number}@guest.example" for number in range(4)))
        assert results(acme, sheet, "no_seat") == [(3, "no_seat", ""), (4, "no_seat", "")]
        organizations.change(acme.id, organizations.Changes(seat_limit=6), by=OPERATOR)
        assert results(acme, sheet, "no_seat") == [(4, "no_seat", "")]

    def test_role_above_ones_own_is_refused_everywhere(self, acme: Acme) -> None:
        lines = imports.parse("a@guest.example,A,A,owner")
        sheet = imports.create(acme.id, lines, by=acme.admin.actor, role="member")
        assert results(acme, sheet) == [(1, "fix", "role")]
        with pytest.raises(CannotGrantRole):
            imports.create(acme.id, lines, by=acme.admin.actor, role="owner")

    def test_free_plan_cannot_start_an_import(self, acme: Acme) -> None:
        organizations.change(acme.id, organizations.Changes(plan="free"), by=OPERATOR)
        with pytest.raises(PlanUpgradeRequired):
            paste(acme, "a@guest.example")


class TestCorrecting:
    def test_corrected_row_is_ready(self, acme: Acme) -> None:
        sheet = paste(acme, "no address,Ana,Sousa")
        line = ImportLine("ana@guest.example", "Ana", "Sousa")
        assert actions.replace_row(acme.id, sheet.id, 1, line, by=acme.owner.actor).state == "ready"

    def test_confirmed_address_is_ready(self, acme: Acme) -> None:
        sheet = paste(acme, "ana@gmial.com")
        line = ImportLine("ana@gmial.com")
        assert actions.replace_row(acme.id, sheet.id, 1, line, by=acme.owner.actor).state == "check"
        assert actions.replace_row(acme.id, sheet.id, 1, line, by=acme.owner.actor, keep=True).state == "ready"

    def test_duplicate_is_ready_once_the_first_changes(self, acme: Acme) -> None:
        sheet = paste(acme, "ana@guest.example", "ana@guest.example")
        assert results(acme, sheet) == [(2, "skipped", "email")]
        actions.replace_row(acme.id, sheet.id, 1, ImportLine("bo@guest.example"), by=acme.owner.actor)
        assert results(acme, sheet) == []

    def test_row_edited_into_a_duplicate_is_marked(self, acme: Acme) -> None:
        sheet = paste(acme, "ana@guest.example", "bo@guest.example")
        actions.replace_row(acme.id, sheet.id, 2, ImportLine("ana@guest.example"), by=acme.owner.actor)
        assert results(acme, sheet) == [(2, "skipped", "email")]


class TestSending:
    def test_sends_ready_rows_and_leaves_the_others(self, acme: Acme) -> None:
        sheet = paste(acme, "ana@guest.example,Ana,Sousa,admin,Sales", "no address", "bo@guest.example")
        batch = imports.send(acme.id, sheet.id, by=acme.owner.actor)
        summary = imports.summarize(acme.id, sheet.id, by=acme.owner.actor)
        assert (summary.sent, summary.fix, summary.ready) == (2, 1, 0)
        page = invitations.list_page(acme.id, by=acme.owner.actor)
        assert {(item.email, item.role_name, len(item.workspaces)) for item in page.items} == {
            ("ana@guest.example", "Admin", 1),
            ("bo@guest.example", "Member", 0),
        }
        assert imports.batch_progress(acme.id, batch.id, by=acme.owner.actor).batch.sent == 2
        assert [line.email for line, _ in imports.unsent_rows(acme.id, sheet.id, by=acme.owner.actor)] == [
            "no address"
        ]

    def test_twice_invites_everyone_once(self, acme: Acme) -> None:
        sheet = paste(acme, "ana@guest.example")
        imports.send(acme.id, sheet.id, by=acme.owner.actor)
        imports.send(acme.id, sheet.id, by=acme.owner.actor)
        assert invitations.list_page(acme.id, by=acme.owner.actor).total == 1

    def test_row_invited_meanwhile_is_reported(self, acme: Acme) -> None:
        sheet = paste(acme, "ana@guest.example")
        invite(acme, "ana@guest.example")
        imports.send(acme.id, sheet.id, by=acme.owner.actor)
        assert results(acme, sheet) == [(1, "skipped", "email")]

    def test_uses_only_free_seats(self, acme: Acme) -> None:
        organizations.change(acme.id, organizations.Changes(seat_limit=4), by=OPERATOR)
        sheet = paste(acme, "ana@guest.example", "bo@guest.example")
        imports.send(acme.id, sheet.id, by=acme.owner.actor)
        summary = imports.summarize(acme.id, sheet.id, by=acme.owner.actor)
        assert (summary.sent, summary.no_seat) == (1, 1)


class TestIsolation:
    def test_foreign_import_is_not_found(self, acme: Acme) -> None:
        sheet, other = paste(acme, "ana@guest.example"), make_organization("Other")
        for act in (imports.summarize, imports.send, imports.unsent_rows, imports.delete):
            with pytest.raises(ImportNotFound):
                act(other.id, sheet.id, by=other.owner.actor)

    def test_member_without_permission_is_refused(self, acme: Acme) -> None:
        sheet = paste(acme, "ana@guest.example")
        with pytest.raises(PermissionDenied):
            imports.summarize(acme.id, sheet.id, by=acme.member.actor)
