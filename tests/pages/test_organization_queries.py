"""The pages of organization and account ask the database equally often, however much there is to show."""

import pytest
from flask import Flask

from invite_app.services import accounts
from invite_app.services.accounts import Device
from tests.pages.test_every_answer import count
from tests.support.factories import Acme, invite, make_api_key, make_member, make_role
from tests.support.visitor import Visitor

MOST = {
    "{home}/roles": 10,
    "{home}/roles/new": 6,
    "{home}/roles/admin": 10,
    "{home}/roles/editor": 10,
    "{home}/roles/editor/delete": 12,
    "{home}/api-keys": 8,
    "{home}/api-keys/new": 8,
    "{home}/audit": 7,
    "{home}/settings": 6,
    "{home}/settings/delete": 6,
    "{home}/leave": 10,
    "/account": 10,
    "/account/address": 7,
    "/account/password": 7,
}


@pytest.mark.parametrize("path", MOST)
def test_the_number_of_queries_does_not_grow(path: str, app: Flask, acme: Acme, owner: Visitor) -> None:
    address = path.format(home=f"/organizations/{acme.id}")
    with app.app_context():
        make_role(acme, "Editor", [])
        add_more(acme, 1)
    owner.get(address)  # records the first visit
    few = count(app, owner, address)
    with app.app_context():
        for number in range(2, 8):
            add_more(acme, number)
    assert count(app, owner, address) == few
    assert few <= MOST[path]


def add_more(acme: Acme, number: int) -> None:
    """One of each: a role with a member, a key and an invitation for editors, a sign-in of the owner."""
    make_role(acme, f"Role {number}", ["members:read"])
    make_member(acme, f"member{number}@acme.example", role=f"Role {number}")
    make_api_key(acme, name=f"Key {number}", role="editor")
    invite(acme, f"guest{number}@guest.example", role="editor")
    accounts.start_session(acme.owner.id, device=Device())
