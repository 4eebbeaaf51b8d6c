"""The number of SQL statements of every route that reads; it does not grow with the number of rows."""

from collections.abc import Iterable
from functools import partial

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule

from invite_app import create_app
from invite_app.db import session
from invite_app.models import Invitation, OutboxMessage
from invite_app.services import accounts, imports
from invite_app.services.accounts import Device
from invite_app.services.imports.parser import ImportLine
from tests.support.databases import BASE
from tests.support.factories import (
    Acme,
    Key,
    configure,
    invite,
    make_api_key,
    make_member,
    make_organization,
    make_role,
    set_delivery,
)
from tests.support.statements import record_statements
from tests.support.visitor import Visitor

# Pages, opened by an owner. Each includes the session, the organization and the layout.
PAGES = {
    "pages.account": 7,
    "pages.api_keys": 6,
    "pages.audit": 5,
    "pages.change_address": 4,
    "pages.change_password": 4,
    "pages.change_roles": 4,
    "pages.change_workspaces": 4,
    "pages.check_list": 10,
    "pages.delete_organization": 5,
    "pages.delete_role": 9,
    "pages.delete_workspace": 7,
    "pages.drop_list": 7,
    "pages.edit_invitation": 8,
    "pages.erase_account": 7,
    "pages.export_account": 4,
    "pages.extend_invitations": 2,
    "pages.hand_over": 6,
    "pages.invitation": 8,
    "pages.invitation_link": 6,
    "pages.invitations": 9,
    "pages.invite": 8,
    "pages.invite_many": 6,
    "pages.leave": 7,
    "pages.list_progress": 9,
    "pages.member": 8,
    "pages.member_role": 8,
    "pages.members": 9,
    "pages.new_api_key": 5,
    "pages.new_role": 4,
    "pages.new_workspace": 4,
    "pages.outbox": 11,
    "pages.outbox_body": 10,
    "pages.outbox_message": 12,
    "pages.overview": 10,
    "pages.remove_member": 9,
    "pages.remove_members": 2,
    "pages.rename_workspace": 7,
    "pages.resend_invitations": 2,
    "pages.revoke_api_key": 5,
    "pages.revoke_invitation": 6,
    "pages.revoke_invitations": 2,
    "pages.role": 8,
    "pages.roles": 9,
    "pages.send_again": 6,
    "pages.settings": 5,
    "pages.stop_list": 8,
    "pages.workspaces": 8,
}
MAX_PER_PAGE = 12

# Operations of the APIs, called with an owner's key.
OPERATIONS = {
    "almanac.list_organization_members": 7,
    "clerk.get_invitation": 3,
    "clerk.get_organization": 2,
    "clerk.list_all_invitations": 4,
    "clerk.list_all_memberships": 4,
    "clerk.list_invitations": 4,
    "clerk.list_memberships": 4,
    "clerk.list_pending_invitations": 4,
    "clerk.list_roles": 3,
    "clerk.list_user_invitations": 3,
    "clerk.list_user_memberships": 5,
    "deepset.get_bulk_progress": 3,
    "deepset.get_invitation": 3,
    "deepset.get_invitation_timeline": 5,
    "deepset.get_member": 3,
    "deepset.get_organization": 1,
    "deepset.get_settings": 1,
    "deepset.get_statistics": 5,
    "deepset.get_user": 3,
    "deepset.get_workspace": 2,
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

# Lists with a search and a role. SQLite's search index answers that for members alone, in one statement less.
SEARCH = {"q": "example", "role": "member"}
SEARCHED = {
    "deepset.list_invitations": 5,
    "deepset.list_members": 5,
    "pages.invitations": 12,
    "pages.members": 12,
}

# Routes without rows of an organization, and those that show the target of a link to anonymous visitors.
UNCOUNTED = {
    "deepset.get_ownership_offer",
    "deepset.look_at_invitation",
    "docs.document",
    "docs.page",
    "health.healthz",
    "health.readyz",
    "metrics.show",
    "pages.decline_invitation",
    "pages.follow_app_link",
    "pages.follow_sign_in_link",
    "pages.forgot",
    "pages.home",
    "pages.invitation_offer",
    "pages.prove_address",
    "pages.reset",
    "pages.reset_sent",
    "pages.setup",
    "pages.sign_in",
    "static",
}

# Files whose rows are read in chunks while they are sent.
STREAMED = {
    "pages.audit_file",
    "pages.example_list",
    "pages.list_rest",
    "pages.members_file",
}


@pytest.fixture
def acme(app: Flask) -> Acme:
    with app.app_context():
        return make_organization()


@pytest.fixture
def key(app: Flask, acme: Acme) -> Key:
    with app.app_context():
        return make_api_key(acme, role="owner")


def test_every_reading_route_has_a_row(tmp_path: object) -> None:
    app = create_app({**BASE, "INVITE_INSTANCE_PATH": str(tmp_path)}, testing=True)
    routes = {rule.endpoint for rule in app.url_map.iter_rules() if _is_read(rule)}
    assert routes == PAGES.keys() | OPERATIONS.keys() | UNCOUNTED | STREAMED


def test_no_page_exceeds_the_maximum() -> None:
    counts = [*PAGES.items(), *SEARCHED.items()]
    assert [(endpoint, count) for endpoint, count in counts if count > MAX_PER_PAGE] == []


@pytest.mark.parametrize("is_page", [True, False], ids=["pages", "operations"])
def test_lists_take_a_constant_number(app: Flask, acme: Acme, key: Key, is_page: bool) -> None:
    table = PAGES if is_page else OPERATIONS
    expected = {endpoint: count for endpoint, count in table.items() if _is_list(app, endpoint)}
    searched = {endpoint: _searched(app, endpoint) for endpoint in SEARCHED.keys() & expected.keys()}
    values = {"organization_id": acme.id}
    count = partial(
        _count_each, app, _client(app, acme, is_page), values=values, headers={} if is_page else key.headers
    )
    with app.app_context():
        _add_rows(acme, range(3))
    few = count(expected), count(searched, search=SEARCH)
    with app.app_context():
        _add_rows(acme, range(3, 9))
    many = count(expected), count(searched, search=SEARCH)
    assert few == many == (expected, searched)


@pytest.mark.parametrize("is_page", [True, False], ids=["pages", "operations"])
def test_details_take_a_constant_number(app: Flask, acme: Acme, key: Key, is_page: bool) -> None:
    table = PAGES if is_page else OPERATIONS
    expected = {endpoint: count for endpoint, count in table.items() if not _is_list(app, endpoint)}
    client = _client(app, acme, is_page)
    with app.app_context():
        values = _create_one_of_each(acme, key)
    count = partial(_count_each, app, client, values=values, headers={} if is_page else key.headers)
    few = count(expected)
    with app.app_context():
        _add_rows_to_full_organization(acme, range(3, 9))
    assert few == count(expected) == expected


def _is_read(rule: Rule) -> bool:
    return "GET" in (rule.methods or ())


def _rule(app: Flask, endpoint: str) -> Rule:
    return next(rule for rule in app.url_map.iter_rules(endpoint) if _is_read(rule))


def _is_list(app: Flask, endpoint: str) -> bool:
    """Return whether the path has no id but the organization's."""
    return _rule(app, endpoint).arguments <= {"organization_id"}


def _searched(app: Flask, endpoint: str) -> int:
    is_sqlite = app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite")
    return SEARCHED[endpoint] - ("members" in endpoint and is_sqlite)


def _client(app: Flask, acme: Acme, is_page: bool) -> FlaskClient:
    return Visitor(app).sign_in(acme.owner).client if is_page else app.test_client()


def _count_each(
    app: Flask,
    client: FlaskClient,
    endpoints: Iterable[str],
    *,
    values: dict[str, object],
    headers: dict[str, str],
    search: dict[str, str] | None = None,
) -> dict[str, int]:
    counts = {}
    for endpoint in endpoints:
        rule = _rule(app, endpoint)
        _, path = rule.build({name: values[name] for name in rule.arguments}) or ("", "")
        for _ in range(2):  # the first request fills the caches
            with record_statements(app) as statements:
                response = client.get(path, headers=headers, query_string=search)
        assert response.status_code in (200, 303), (path, response.status_code)
        counts[endpoint] = len(statements)
    return counts


def _add_rows(acme: Acme, numbers: range) -> None:
    for number in numbers:
        make_role(acme, f"Role {number}", ["members:read"])
        make_member(acme, f"member{number}@guest.example", role=f"Role {number}")
        make_api_key(acme, name=f"Key {number}", role="member")
        invite(acme, f"guest{number}@guest.example", workspace_ids=acme.workspaces)
        accounts.start_session(acme.owner.id, device=Device())


def _add_rows_to_full_organization(acme: Acme, numbers: range) -> None:
    configure(acme, seat_limit=None)
    _add_rows(acme, numbers)
    configure(acme, seat_limit=1)


def _create_one_of_each(acme: Acme, key: Key) -> dict[str, object]:
    """Return the values of all path variables. Of the import, some rows are sent and the others have no seat."""
    _add_rows_to_full_organization(acme, range(3))
    configure(acme, seat_limit=11)
    lines = [ImportLine(f"listed{number}@guest.example", "Ana", "Guest") for number in range(5)]
    sheet = imports.create(acme.id, lines, by=acme.owner.actor, role="member")
    batch = imports.send(acme.id, sheet.id, by=acme.owner.actor)
    invitation, other = session().scalars(select(Invitation).where(Invitation.batch_id == batch.id))
    set_delivery(other, state="failed", reason="mailbox unavailable")
    set_delivery(invitation, state="queued")
    not_imported = select(OutboxMessage).join(OutboxMessage.invitation).where(Invitation.batch_id.is_(None))
    message = session().scalars(not_imported.limit(1)).one()
    return {
        "organization_id": acme.id,
        "invitation_id": invitation.id,
        "message_id": message.id,
        "batch_id": batch.id,
        "user_id": acme.member.id,
        "key": "role-1",
        "api_key_id": key.id,
        "workspace_id": acme.workspaces[0],
        "workspace_name": "Sales",
        "sheet_id": sheet.id,
    }
