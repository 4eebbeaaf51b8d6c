"""Organization headers: a key's own organization, or one that the person belongs to, checked in every operation."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from invite_app.api import DIALECTS
from invite_app.api.authentication import ORGANIZATION_HEADERS
from invite_app.api.dialect import Dialect
from invite_app.api.endpoint import Endpoint
from invite_app.db import session
from invite_app.models import Workspace
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, Key, Person, add_member, make_api_key, make_organization

NOBODY = "01980000-0000-7000-8000-000000000001"
GUARDED = [(dialect, item) for dialect in DIALECTS for item in dialect.endpoints if not item.is_public]
UNKNOWN: dict[str, Any] = {
    "deepset": {"detail": "Not Found"},
    "almanac": {"detail": "Not Found"},
    "trieve": {"message": "Not Found: Organization not found"},
    "clerk": {
        "errors": [
            {
                "message": "not found",
                "long_message": "There is no such organization.",
                "code": "resource_not_found",
            }
        ]
    },
}


def named(value: Any) -> str:
    return f"{value.method} {value.path}" if isinstance(value, Endpoint) else getattr(value, "name", str(value))


@pytest.fixture
def globex(app: Flask) -> Acme:
    """Create another organization with Acme's owner as a member."""
    with app.app_context():
        return make_organization("Globex")


def send(client: FlaskClient, endpoint: Endpoint, place: Any, headers: dict[str, str]) -> TestResponse:
    path = re.sub(r"{\w+}", NOBODY, endpoint.path.replace("{organization_id}", str(place)))
    return client.open(path, method=endpoint.method, headers=headers)


@on_sqlite
@pytest.mark.parametrize(("dialect", "endpoint"), GUARDED, ids=named)
def test_key_with_foreign_organization_header_is_refused(
    client: FlaskClient, acme: Acme, globex: Acme, key: Key, *, dialect: Dialect, endpoint: Endpoint
) -> None:
    own = {name: str(acme.id) for name in ORGANIZATION_HEADERS}
    for header in ORGANIZATION_HEADERS:
        for organization_id in (str(globex.id), NOBODY):
            for others in ({}, own):
                headers = key.headers | others | {header: organization_id}
                answer = send(client, endpoint, acme.id, headers)
                assert (answer.status_code, answer.get_json()) == (404, UNKNOWN[dialect.name]), headers


@on_sqlite
@pytest.mark.parametrize(("dialect", "endpoint"), GUARDED, ids=named)
def test_key_may_name_its_own_organization(
    client: FlaskClient, acme: Acme, key: Key, dialect: Dialect, endpoint: Endpoint
) -> None:
    for header in ORGANIZATION_HEADERS:
        with_header = send(client, endpoint, acme.id, key.headers | {header: str(acme.id)})
        assert with_header.get_json(silent=True) != UNKNOWN["trieve"]
        if dialect.name != "trieve":
            without = send(client, endpoint, acme.id, key.headers)
            assert (with_header.status_code, with_header.data) == (without.status_code, without.data)


@on_sqlite
@pytest.mark.parametrize(("dialect", "endpoint"), GUARDED, ids=named)
def test_session_with_foreign_organization_header_is_refused(
    app: Flask,
    acme: Acme,
    globex: Acme,
    signed_in: Callable[[Person], FlaskClient],
    *,
    dialect: Dialect,
    endpoint: Endpoint,
) -> None:
    browser = signed_in(acme.owner)
    for header in ORGANIZATION_HEADERS:
        answer = send(browser, endpoint, acme.id, {header: str(globex.id)})
        assert (answer.status_code, answer.get_json()) == (404, UNKNOWN[dialect.name])


@on_sqlite
@pytest.mark.parametrize(("dialect", "endpoint"), GUARDED, ids=named)
def test_header_must_match_path_and_other_headers(
    app: Flask,
    acme: Acme,
    globex: Acme,
    signed_in: Callable[[Person], FlaskClient],
    *,
    dialect: Dialect,
    endpoint: Endpoint,
) -> None:
    with app.app_context():
        add_member(globex, acme.owner, role="owner")
    browser = signed_in(acme.owner)
    disagreeing = [{"X-Organization-ID": str(acme.id), "TR-Organization": str(globex.id)}]
    if "{organization_id}" in endpoint.path:
        disagreeing += [{header: str(globex.id)} for header in ORGANIZATION_HEADERS]
    for headers in disagreeing:
        answer = send(browser, endpoint, acme.id, headers)
        assert (answer.status_code, answer.get_json()) == (404, UNKNOWN[dialect.name])


@on_sqlite
@pytest.mark.parametrize("header", ORGANIZATION_HEADERS)
@pytest.mark.parametrize("value", ["", "acme", "1", f"{NOBODY}, {NOBODY}"])
def test_header_that_is_not_an_id_is_refused(client: FlaskClient, key: Key, header: str, value: str) -> None:
    headers = key.headers | {header: value}
    assert client.get("/api/v1/me", headers=headers).status_code == 404
    assert client.get("/v1/organization_roles", headers=headers).status_code == 404
    trieve = client.get("/api/auth/me", headers=headers)
    assert (trieve.status_code, trieve.get_json()) == (400, {"message": "Could not convert Organization to UUID"})


@on_sqlite
def test_slug_in_the_path_matches_its_id(
    app: Flask, acme: Acme, globex: Acme, signed_in: Callable[[Person], FlaskClient]
) -> None:
    with app.app_context():
        add_member(globex, acme.owner)
    browser = signed_in(acme.owner)
    own, other = ({"X-Organization-ID": str(place.id)} for place in (acme, globex))
    assert browser.get("/v1/organizations/acme", headers=own).get_json()["id"] == str(acme.id)
    assert browser.get("/v1/organizations/acme", headers=other).status_code == 404


def test_invalid_key_is_refused_before_the_header(client: FlaskClient, acme: Acme) -> None:
    headers = {"Authorization": "Bearer sk_wrong", "X-Organization-ID": str(acme.id)}
    assert client.get("/api/v1/me", headers=headers).status_code == 401


@pytest.mark.parametrize("header", ORGANIZATION_HEADERS)
def test_idempotency_key_belongs_to_one_organization(
    app: Flask, acme: Acme, globex: Acme, signed_in: Callable[[Person], FlaskClient], header: str
) -> None:
    with app.app_context():
        add_member(globex, acme.owner, role="owner")
    browser = signed_in(acme.owner)

    def create(place: Acme) -> TestResponse:
        headers = {header: str(place.id), "Idempotency-Key": "one"}
        return browser.post("/api/v1/workspaces", json={"name": "Lab"}, headers=headers)

    first, other, again = create(acme), create(globex), create(acme)
    assert [answer.status_code for answer in (first, other, again)] == [201, 201, 201]
    assert first.get_json() == again.get_json() != other.get_json()
    with app.app_context():
        places = session().query(Workspace.organization_id).filter_by(name="Lab").all()
        assert {place for (place,) in places} == {acme.id, globex.id}


def test_idempotency_key_is_bound_to_the_organization(
    app: Flask, acme: Acme, globex: Acme, signed_in: Callable[[Person], FlaskClient]
) -> None:
    """Without a header, people act in their only organization, which may change."""
    with app.app_context():
        add_member(globex, acme.admin, role="admin")
    browser, custom = signed_in(acme.admin), {"X-Requested-With": "fetch", "Idempotency-Key": "one"}
    named_one = custom | {"X-Organization-ID": str(acme.id)}
    assert browser.post("/api/v1/workspaces", json={"name": "Lab"}, headers=named_one).status_code == 201
    assert browser.post(f"/api/v1/organization/{acme.id}/leave", headers=custom).status_code == 204
    answer = browser.post("/api/v1/workspaces", json={"name": "Lab"}, headers=custom)
    assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (201, False)


def test_keys_of_two_organizations_share_no_responses(
    app: Flask, client: FlaskClient, acme: Acme, globex: Acme, key: Key
) -> None:
    with app.app_context():
        foreign = make_api_key(globex)
    answers = [
        client.post("/api/v1/workspaces", json={"name": "Lab"}, headers=sender.headers | {"Idempotency-Key": "one"})
        for sender in (key, foreign)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].get_json() != answers[1].get_json()
