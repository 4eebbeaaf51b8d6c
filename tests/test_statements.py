"""How many statements the routes that read take: a table, and the same number however many rows there are."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from invite_app import create_app
from tests.pages.test_every_answer import counted
from tests.support.databases import BASE
from tests.support.factories import Acme, Key, invite, make_api_key, make_member, make_organization, make_role
from tests.support.visitor import Visitor

PAGES = {
    "pages.account": 7,
    "pages.api_keys": 6,
    "pages.audit": 5,
    "pages.change_address": 4,
    "pages.change_password": 4,
    "pages.change_roles": 4,
    "pages.change_workspaces": 4,
    "pages.delete_organization": 5,
    "pages.erase_account": 7,
    "pages.export_account": 4,
    "pages.extend_invitations": 2,
    "pages.invitations": 9,
    "pages.invite": 8,
    "pages.invite_many": 6,
    "pages.leave": 7,
    "pages.members": 9,
    "pages.new_api_key": 5,
    "pages.new_role": 4,
    "pages.new_workspace": 4,
    "pages.outbox": 11,
    "pages.overview": 10,
    "pages.remove_members": 2,
    "pages.resend_invitations": 2,
    "pages.revoke_invitations": 2,
    "pages.roles": 9,
    "pages.settings": 5,
    "pages.workspaces": 8,
}
"""Pages of the owner, which one address of an organization names. Each counts who asks, where, and its frame."""

PROGRAMS = {
    "almanac.list_organization_members": 7,
    "clerk.get_organization": 2,
    "clerk.list_all_invitations": 4,
    "clerk.list_all_memberships": 4,
    "clerk.list_invitations": 4,
    "clerk.list_memberships": 4,
    "clerk.list_pending_invitations": 4,
    "clerk.list_roles": 3,
    "deepset.get_organization": 1,
    "deepset.get_settings": 1,
    "deepset.get_statistics": 5,
    "deepset.list_api_keys": 2,
    "deepset.list_audit_events": 2,
    "deepset.list_invitations": 3,
    "deepset.list_members": 2,
    "deepset.list_roles": 2,
    "deepset.list_users": 3,
    "deepset.list_workspaces": 2,
    "deepset.read_users_me": 3,
    "trieve.get_invitations": 2,
    "trieve.get_me": 2,
    "trieve.get_organization": 1,
    "trieve.get_organization_users": 2,
}
"""What programs read with a key."""

UNCOUNTED = {
    "deepset.get_ownership_offer",
    "docs.document",
    "docs.page",
    "health.healthz",
    "health.readyz",
    "metrics.show",
    "pages.forgot",
    "pages.reset_sent",
    "pages.sign_in",
    "pages.home",
    "pages.follow_app_link",
}
"""They show nothing of an organization, or a single thing that is not there."""

FILES = {"pages.members_file", "pages.audit_file", "pages.example_list"}
"""They are read part by part, while they are sent."""

SEARCH = "?q=example&role=member"
SEARCHED = {"pages.members": 12, "pages.invitations": 12, "deepset.list_members": 5, "deepset.list_invitations": 5}
"""With a search, which looks at list and index, and those with one role, which an index of members begins with: among
them SQLite's search index is enough alone.
"""


@pytest.fixture
def acme(app: Flask) -> Acme:
    with app.app_context():
        return make_organization()


@pytest.fixture
def key(app: Flask, acme: Acme) -> Key:
    with app.app_context():
        return make_api_key(acme, role="owner")


def routes(tmp_path: object) -> Iterator[tuple[str, str]]:
    """The endpoints that are read by their address alone, or by that of an organization, with the address."""
    app = create_app({**BASE, "INVITE_INSTANCE_PATH": str(tmp_path)}, testing=True)
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.arguments <= {"organization_id"} and rule.endpoint != "static":
            yield rule.endpoint, rule.rule


def add_more(acme: Acme, number: int) -> None:
    make_role(acme, f"Role {number}", ["members:read"])
    make_member(acme, f"member{number}@guest.example", role=f"Role {number}")
    make_api_key(acme, name=f"Key {number}", role="member")
    invite(acme, f"guest{number}@guest.example", workspace_ids=acme.workspaces)


def test_every_reading_route_has_a_row(tmp_path: object) -> None:
    assert {endpoint for endpoint, _ in routes(tmp_path)} == PAGES.keys() | PROGRAMS.keys() | UNCOUNTED | FILES


@pytest.mark.parametrize("is_page", [True, False], ids=["pages", "programs"])
def test_the_number_of_statements_is_the_tables_whatever_the_number_of_rows(
    app: Flask, acme: Acme, key: Key, is_page: bool, tmp_path: object
) -> None:
    table, headers = (PAGES, {}) if is_page else (PROGRAMS, key.headers)
    visitor = Visitor(app).sign_in(acme.owner) if is_page else None
    client = visitor.client if visitor else app.test_client()
    addresses = {name: rule for name, rule in routes(tmp_path) if name in table}
    addresses |= {f"{name} searched": addresses[name] + SEARCH for name in SEARCHED if name in table}
    with app.app_context():
        for number in range(3):
            add_more(acme, number)
    few = {name: _count(app, client, rule, acme, headers) for name, rule in addresses.items()}
    with app.app_context():
        for number in range(3, 9):
            add_more(acme, number)
    many = {name: _count(app, client, rule, acme, headers) for name, rule in addresses.items()}
    assert many == few
    is_sqlite = app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite")
    searched = {name: number - ("members" in name and is_sqlite) for name, number in SEARCHED.items()}
    most = table | {f"{name} searched": number for name, number in searched.items() if name in table}
    assert few == most


def _count(app: Flask, client: FlaskClient, rule: str, acme: Acme, headers: dict[str, str]) -> int:
    address = rule.replace("<uuid:organization_id>", str(acme.id)).replace("<organization_id>", str(acme.id))
    for _ in range(2):  # the first time fills the caches
        with counted(app) as statements:
            answer = client.get(address, headers=headers)
    assert answer.status_code in (200, 303), (address, answer.status_code)
    return len(statements)
