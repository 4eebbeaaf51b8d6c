"""Round trips to PostgreSQL of frequent requests, counted on the wire instead of by statements."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from tests.support.databases import on_postgres
from tests.support.factories import Acme, invite, make_api_key, make_organization, make_person, token_of
from tests.support.round_trips import CountingWire, counting_wire
from tests.support.visitor import Visitor

pytestmark = on_postgres


@pytest.fixture
def wire(environ: dict[str, str]) -> Iterator[CountingWire]:
    with counting_wire(environ["INVITE_DATABASE_URL"]) as wire:
        environ["INVITE_DATABASE_URL"] = wire.url
        yield wire


@pytest.fixture
def app(wire: CountingWire, make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def acme(app: Flask) -> Acme:
    with app.app_context():
        return make_organization()


def trips(wire: CountingWire, request: Callable[[int], Any]) -> list[int]:
    """Return the round trips of three requests, with caches filled."""
    for number in range(3):
        request(number)
    found = []
    for number in range(3, 6):
        before = wire.trips
        request(number)
        found.append(wire.trips - before)
    return found


def test_invitation_takes_four(app: Flask, acme: Acme, wire: CountingWire) -> None:
    with app.app_context():
        key = make_api_key(acme)
    client = app.test_client()

    def send(number: int) -> None:
        body = {"given_name": "Ana", "family_name": "Ek", "email": f"ana{number}@guest.example", "role": "member"}
        path = f"/api/v1/organization/{acme.id}/invitation"
        assert client.post(path, json=body, headers=key.headers).status_code == 201

    assert trips(wire, send) == [4, 4, 4]


@pytest.mark.parametrize("query", ["", "?q=olivia", "?q=example", "?q=ol", "?q=nobody"])
def test_list_takes_one_even_when_searched(app: Flask, acme: Acme, wire: CountingWire, query: str) -> None:
    with app.app_context():
        key = make_api_key(acme)
    client = app.test_client()
    path = f"/api/v1/organization/{acme.id}/members{query}"
    assert trips(wire, lambda _: client.get(path, headers=key.headers)) == [1, 1, 1]


def test_accepting_takes_six(app: Flask, acme: Acme, wire: CountingWire) -> None:
    with app.app_context():
        addresses = [f"ana{number}@guest.example" for number in range(6)]
        people = [make_person(address) for address in addresses]
        tokens = [token_of(invite(acme, address)) for address in addresses]
    visitors = [Visitor(app).sign_in(person) for person in people]

    def accept(number: int) -> None:
        path = f"/api/v1/invitations/{tokens[number]}/accept"
        assert visitors[number].client.post(path, headers={"X-Requested-With": "test"}).status_code < 300

    assert trips(wire, accept) == [6, 6, 6]
