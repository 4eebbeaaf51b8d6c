"""How many statements the routes take that read one thing: a table, like that of the lists."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from invite_app import create_app
from invite_app.db import session
from invite_app.models import Invitation, OutboxMessage
from invite_app.services import sheets
from invite_app.services.sheet_text import Line
from tests.pages.test_every_answer import counted
from tests.support.databases import BASE
from tests.support.factories import Acme, Key, configure, make_api_key, make_organization, set_delivery
from tests.support.visitor import Visitor
from tests.test_statements import PAGES, SEARCHED, add_more

PAGES_OF_ONE = {
    "pages.check_list": 10,
    "pages.delete_role": 9,
    "pages.delete_workspace": 7,
    "pages.drop_list": 7,
    "pages.edit_invitation": 8,
    "pages.hand_over": 6,
    "pages.invitation": 8,
    "pages.invitation_link": 6,
    "pages.list_progress": 9,
    "pages.member": 8,
    "pages.member_role": 8,
    "pages.outbox_body": 10,
    "pages.outbox_message": 12,
    "pages.remove_member": 9,
    "pages.rename_workspace": 7,
    "pages.revoke_api_key": 5,
    "pages.revoke_invitation": 6,
    "pages.role": 8,
    "pages.send_again": 6,
    "pages.stop_list": 8,
}
PROGRAMS_OF_ONE = {
    "clerk.get_invitation": 3,
    "clerk.list_user_invitations": 3,
    "clerk.list_user_memberships": 5,
    "deepset.get_bulk_progress": 3,
    "deepset.get_invitation": 3,
    "deepset.get_invitation_timeline": 5,
    "deepset.get_member": 3,
    "deepset.get_user": 3,
    "deepset.get_workspace": 2,
}
UNCOUNTED = {
    "deepset.look_at_invitation",
    "pages.decline_invitation",
    "pages.follow_sign_in_link",
    "pages.invitation_offer",
    "pages.prove_address",
    "pages.reset",
    "pages.setup",
    "static",
}
"""Nobody is signed in there: they look at the one thing that a link names."""
FILES = {"pages.list_rest"}
"""It is read while it is sent."""
MOST = 12


@pytest.fixture
def acme(app: Flask) -> Acme:
    with app.app_context():
        return make_organization()


@pytest.fixture
def key(app: Flask, acme: Acme) -> Key:
    with app.app_context():
        return make_api_key(acme, role="owner")


def routes(tmp_path: object) -> Iterator[str]:
    """The endpoints whose addresses name more than an organization."""
    app = create_app({**BASE, "INVITE_INSTANCE_PATH": str(tmp_path)}, testing=True)
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.arguments <= {"organization_id"}:
            yield rule.endpoint


def test_no_page_takes_more_than_twelve() -> None:
    tables = {**PAGES, **PAGES_OF_ONE, **{f"{name} searched": number for name, number in SEARCHED.items()}}
    assert {name: number for name, number in tables.items() if number > MOST} == {}


def test_every_route_that_reads_one_thing_has_a_row(tmp_path: object) -> None:
    assert set(routes(tmp_path)) == PAGES_OF_ONE.keys() | PROGRAMS_OF_ONE.keys() | UNCOUNTED | FILES


@pytest.mark.parametrize("is_page", [True, False], ids=["pages", "programs"])
def test_the_number_of_statements_is_the_tables(app: Flask, acme: Acme, key: Key, is_page: bool) -> None:
    table, headers = (PAGES_OF_ONE, {}) if is_page else (PROGRAMS_OF_ONE, key.headers)
    client = Visitor(app).sign_in(acme.owner).client if is_page else app.test_client()
    with app.app_context():
        named = _make_one_of_each(acme, key)
    few = {name: _count(app, client, name, named, headers) for name in table}
    with app.app_context():
        _add_more(acme, range(3, 9))
    assert few == {name: _count(app, client, name, named, headers) for name in table} == table


def _make_one_of_each(acme: Acme, key: Key) -> dict[str, object]:
    """What the addresses name: a list of which some are sent and the others have no seat, and so on."""
    _add_more(acme, range(3))
    configure(acme, seat_limit=11)
    lines = [Line(f"listed{number}@guest.example", "Ana", "Guest") for number in range(5)]
    sheet = sheets.create(acme.id, lines, by=acme.owner.actor, role="member")
    batch = sheets.send(acme.id, sheet.id, by=acme.owner.actor)
    invitation, other = session().scalars(select(Invitation).where(Invitation.batch_id == batch.id))
    set_delivery(other, state="failed", reason="mailbox unavailable")
    set_delivery(invitation, state="queued")
    elsewhere = select(OutboxMessage).join(OutboxMessage.invitation).where(Invitation.batch_id.is_(None))
    message = session().scalars(elsewhere.limit(1)).one()
    of_invitation = {"invitation_id": invitation.id, "message_id": message.id, "batch_id": batch.id}
    of_people = {"user_id": acme.member.id, "key": "role-1", "api_key_id": key.id}
    of_place = {"workspace_id": acme.workspaces[0], "workspace_name": "Sales", "sheet_id": sheet.id}
    return {"organization_id": acme.id, **of_invitation, **of_people, **of_place}


def _add_more(acme: Acme, numbers: range) -> None:
    configure(acme, seat_limit=None)
    for number in numbers:
        add_more(acme, number)
    configure(acme, seat_limit=1)


def _count(app: Flask, client: FlaskClient, endpoint: str, named: dict[str, object], headers: dict[str, str]) -> int:
    rule = next(rule for rule in app.url_map.iter_rules(endpoint) if "GET" in (rule.methods or ()))
    _, address = rule.build({name: named[name] for name in rule.arguments}) or ("", "")
    for _ in range(2):  # the first time fills the caches
        with counted(app) as statements:
            answer = client.get(address, headers=headers)
    assert answer.status_code == 200, (address, answer.status_code)
    return len(statements)
