"""The audit log: events in words, filters in the URL, and an export that is safe for spreadsheets."""

import csv
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from flask import Flask

from invite_app import services
from invite_app.models.types import now
from invite_app.pages.organization import audit_texts
from invite_app.pages.shared import csv_download
from invite_app.services import invitations, members, organizations, roles, workspaces
from invite_app.services.organizations import Changes
from tests.support.factories import OPERATOR, Acme, configure, invite, make_api_key, make_member, make_role
from tests.support.html import Page
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]


def at(organization: Acme) -> str:
    return f"/organizations/{organization.id}/audit"


def event_texts(page: Page) -> list[str]:
    return page.texts("span", "who-name")


def exported(visitor: Visitor, path: str) -> list[list[str]]:
    answer = visitor.client.get(path)
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert answer.text.startswith(csv_download.BYTE_ORDER_MARK)
    return list(csv.reader(StringIO(answer.text.removeprefix(csv_download.BYTE_ORDER_MARK))))


def test_events_are_described_with_before_and_after(app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        by = acme.owner.actor
        members.change_role(acme.id, acme.member.id, "admin", by=by)
        members.change(acme.id, acme.member.id, workspace_ids=[acme.workspaces[0]], by=by)
        roles.create(acme.id, name="Editor", permissions=["members:read", "api_keys:write"], by=by)
        settings = Changes(seat_limit=1500, invitation_lifetime=timedelta(hours=36), allowed_domains=["acme.example"])
        organizations.change(acme.id, settings, by=by)
    page = owner.get(at(acme))
    assert event_texts(page)[:4] == [
        "Changed the settings of Acme",
        "Made the role Editor",
        "Changed the workspaces of member@acme.example",
        "Changed the role of member@acme.example",
    ]
    said = page.texts("p", "who-sub")
    assert "Seat limit: no limit → 1,500" in said
    assert "Invitation lifetime: 7 days → 36 hours" in said
    assert "Email domains: none → acme.example" in said
    assert "Permissions: see members and manage API keys" in said
    assert "Workspaces: none → Sales" in said
    assert "Role: Member → Admin" in said


def test_every_audit_action_has_a_text() -> None:
    folder = Path(services.__file__).parent
    actions = r'"((?:invitation|member|role|organization|workspace|api_key|ownership|message)\.[a-z_]+)"'
    found = {name for file in folder.rglob("*.py") for name in re.findall(actions, file.read_text())}
    outside = {"organization.deleted"}
    assert found - outside <= audit_texts.SENTENCES.keys()


def test_key_and_command_line_are_distinguished_from_people(app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        invite(acme, by=make_api_key(acme, name="Payroll").actor)
    page = owner.get(at(acme))
    assert "Payroll (Olivia Owner)" in page.texts("span", "cut")
    assert {"API key", "Command line"} <= set(page.texts("span", "who-sub"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("who=adam", ["Made the workspace Garage"]),
        ("whom=garage", ["Made the workspace Garage"]),
        ("action=invitation.sent", ["Invited ana@guest.example"]),
        ("action=invitation.", ["Revoked the invitation of ana@guest.example", "Invited ana@guest.example"]),
        ("action=invitation.sent&who=adam", []),
        ("who=%25", []),
        ("whom=%00garage%00", ["Made the workspace Garage"]),
        ("whom=%ED%A0%80", []),
    ],
)
def test_filters_are_in_the_url(query: str, expected: list[str], app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        invitation = invite(acme)
        invitations.revoke(acme.id, invitation.id, by=acme.owner.actor)
        workspaces.create(acme.id, "Garage", by=acme.admin.actor)
    page = owner.get(f"{at(acme)}?{query}")
    assert event_texts(page) == expected
    assert bool(expected) != ("Nothing matches." in page.texts("h2"))
    assert len(exported(owner, f"{at(acme)}/export?{query}")) == len(expected) + 1


def test_dates_include_whole_days_and_ignore_invalid_input(app: Flask, acme: Acme, owner: Visitor) -> None:
    today, tomorrow = now().date(), now().date() + timedelta(days=1)
    everything = event_texts(owner.get(at(acme)))
    assert event_texts(owner.get(f"{at(acme)}?from={today}&to={today}")) == everything
    assert event_texts(owner.get(f"{at(acme)}?from={tomorrow}")) == []
    for nonsense in ("soon", "0001-01-01", "9999-12-31", "2026-02-30"):
        assert event_texts(owner.get(f"{at(acme)}?from={nonsense}&to={nonsense}&cursor=zzz")) == everything
        assert owner.get(f"{at(acme)}?from={nonsense}").value("from") == nonsense


def test_page_links_keep_the_filters(app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        for number in range(30):
            workspaces.create(acme.id, f"Room {number:02}", by=acme.owner.actor)
    page = owner.get(f"{at(acme)}?action=workspace.created&whom=room")
    assert len(event_texts(page)) == 25
    (further,) = [link for link in page.links if "cursor=" in link]
    assert "whom=room" in further
    last = owner.get(further)
    assert event_texts(last)[-1] == "Made the workspace Room 00"
    (back,) = [link for link in last.links if "cursor=" in link]
    assert event_texts(owner.get(back)) == event_texts(page)
    assert f"{at(acme)}/export?action=workspace.created&whom=room" in page.links


def test_export_has_all_events(app: Flask, acme: Acme, owner: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("invite_app.services.pagination.MAX_LIMIT", 7)
    with app.app_context():
        for number in range(20):
            workspaces.create(acme.id, f"Room {number:02}", by=acme.owner.actor)
    head, *rows = exported(owner, f"{at(acme)}/export?whom=room")
    assert head == ["When (UTC)", "Who", "As", "From", "Action", "What", "Before", "After"]
    assert [row[5] for row in rows] == [f"Made the workspace Room {number:02}" for number in reversed(range(20))]
    assert rows[0][1:5] == ["Olivia Owner", "person", "", "workspace.created"]
    assert rows[0][7] == "Name: Room 19"


@pytest.mark.parametrize("name", ['=HYPERLINK("https://evil.example")', "+1", "-1", "@SUM(1)"])
def test_no_cell_is_a_formula(name: str, app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        configure(acme, name=name)
        make_role(acme, name, ["workspaces:write"])
        sly = make_member(acme, "sly@acme.example", role=name, given_name=name, family_name="")
        workspaces.create(acme.id, name, by=sly.actor)
        organizations.change(acme.id, Changes(name=f"{name}2"), by=OPERATOR)
    for row in exported(owner, f"{at(acme)}/export"):
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
    assert f"'{name}" in [row[1] for row in exported(owner, f"{at(acme)}/export")]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1"])
def test_possible_formulas_are_quoted(text: str) -> None:
    assert csv_download.safe(text) == f"'{text}"


@pytest.mark.parametrize(("cell", "text"), [(None, ""), (3, "3"), ("a=b", "a=b"), ("", "")])
def test_other_cells_are_unchanged(cell: object, text: str) -> None:
    assert csv_download.safe(cell) == text


@pytest.mark.parametrize("path", ["", "/export"])
def test_audit_log_requires_permission(path: str, app: Flask, acme: Acme, globex: Acme, visit: Visit) -> None:
    with app.app_context():
        make_role(acme, "Reviewer", ["audit:read"])
        reviewer = make_member(acme, "rita@acme.example", role="reviewer")
    visit(acme.member).get(f"{at(acme)}{path}", 403)
    visit(globex.owner).get(f"{at(acme)}{path}", 404)
    visit().get(f"{at(acme)}{path}", 303)
    assert visit(reviewer).client.get(f"{at(acme)}{path}").status_code == 200


def test_events_of_other_organizations_are_hidden(acme: Acme, globex: Acme, owner: Visitor) -> None:
    assert "Globex" not in str(event_texts(owner.get(at(acme))))
    assert "Globex" not in str(exported(owner, f"{at(acme)}/export"))
