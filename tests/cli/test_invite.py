"""flask invite: one person, and lists whose invalid rows never stop the others."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from invite_app.services import invitations
from invite_app.services.imports import batches
from tests.support.factories import OPERATOR, Acme, configure, make_organization

from .conftest import Ask, Run

ROWS = """\
Role,EMAIL,workspaces,Given Name
member,ana@guest.example,sales;Support,Ana
admin,bo@@guest.example,,
boss,cy@guest.example,,
,dora@guest.example,nowhere,
,eli@guest.example,,

member,Ana@guest.example,,
"""


@pytest.fixture
def acme(app: Flask) -> Acme:
    with app.app_context():
        return make_organization()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(ROWS)
    return path


def invited(app: Flask, acme: Acme) -> dict[str, Any]:
    with app.app_context():
        return {row.email: row for row in invitations.list_page(acme.id, by=OPERATOR).items}


def test_one_person_is_invited(app: Flask, acme: Acme, ask: Ask) -> None:
    options = ("--role", "admin", "--workspace", acme.workspaces[0], "--workspace", "support")
    names = ("--given-name", "Ana", "--family-name", "Guest", "--note", "Welcome")
    made = ask("invite", "acme", "ana@guest.example", *options, *names)
    found = invited(app, acme)["ana@guest.example"]
    assert (str(found.id), found.role_name, found.name, found.note) == (
        made["invitation_id"],
        "Admin",
        "Ana Guest",
        "Welcome",
    )
    assert [workspace.name for workspace in found.workspaces] == ["Sales", "Support"]


def test_error_for_one_person_is_one_line(acme: Acme, run: Run) -> None:
    refused = run("invite", "acme", "member@acme.example", "--role", "member")
    assert (refused.exit_code, refused.stderr) == (1, "Error: member@acme.example is already a member.\n")


def test_invalid_row_never_stops_the_others(app: Flask, acme: Acme, file: Path, run: Run) -> None:
    result = run("invite", "acme", "--csv", file, "--role", "member", "--json")
    rows = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [(row["row"], row["result"]) for row in rows] == [
        (1, "invited"),
        (2, "refused"),
        (3, "refused"),
        (4, "refused"),
        (5, "invited"),
        (6, "refused"),
    ]
    assert rows[5]["reason"] == "Same address as row 1."
    found = invited(app, acme)
    assert set(found) == {"eli@guest.example", "ana@guest.example"}
    assert [workspace.name for workspace in found["ana@guest.example"].workspaces] == ["Sales", "Support"]


def test_dry_run_reports_the_same_and_stores_nothing(app: Flask, acme: Acme, file: Path, run: Run) -> None:
    with app.app_context():
        configure(acme, seat_limit=4)
    dry = json.loads(run("invite", "acme", "--csv", file, "--role", "member", "--dry-run", "--json").stdout)
    assert invited(app, acme) == {}
    real = json.loads(run("invite", "acme", "--csv", file, "--role", "member", "--json").stdout)
    assert [row["reason"] for row in dry] == [row["reason"] for row in real]
    assert "seats are in use" in dry[4]["reason"]


def test_list_prints_a_table(acme: Acme, file: Path, run: Run) -> None:
    lines = run("invite", "acme", "--csv", file, "--role", "member").output.splitlines()
    assert lines[0] == "2 of 6 invited."
    assert lines[3] == "1    ana@guest.example   invited  -"


def test_long_list_is_sent_in_chunks(
    app: Flask, acme: Acme, file: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAX_ROWS", 4)
    monkeypatch.setattr("invite_app.services.imports.MAX_ROWS", 4)
    dry = json.loads(run("invite", "acme", "--csv", file, "--role", "member", "--dry-run", "--json").stdout)
    real = json.loads(run("invite", "acme", "--csv", file, "--role", "member", "--json").stdout)
    assert [row["row"] for row in dry] == [row["row"] for row in real] == [2, 3, 4, 6]
    assert set(invited(app, acme)) == {"eli@guest.example", "ana@guest.example"}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_spreadsheets_of_many_locales_are_read(
    app: Flask, acme: Acme, tmp_path: Path, ask: Ask, separator: str
) -> None:
    path = tmp_path / "people.csv"
    lines = [("email", "role", "workspaces"), ("ana@guest.example", "member", '"Sales|Support"')]
    path.write_bytes("\r\n".join(map(separator.join, lines)).encode("utf-8-sig"))
    ask("invite", "acme", "--csv", path)
    assert len(invited(app, acme)["ana@guest.example"].workspaces) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name,role\nAna,member\n", "Unknown column: name."),
        (b"role\nmember\n", "'email' is missing"),
        (b"", "'email' is missing"),
        (b"email\n\xff\xfe\x00", "not text"),
    ],
)
def test_unreadable_files_are_refused(acme: Acme, tmp_path: Path, run: Run, content: bytes, message: str) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    refused = run("invite", "acme", "--csv", path, "--role", "member")
    assert (refused.exit_code, message in refused.stderr) == (2, True)
