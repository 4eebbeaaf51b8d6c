"""Every operation of every dialect asks who it is, where, and whether they may, before it says anything else."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from invite_app.api import DIALECTS
from invite_app.api.endpoint import Endpoint
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, Key, make_api_key, make_organization, make_role

SOMETHING = "01980000-0000-7000-8000-000000000001"
ENDPOINTS = [endpoint for dialect in DIALECTS for endpoint in dialect.endpoints]
GUARDED = [endpoint for endpoint in ENDPOINTS if not endpoint.is_public]
PUBLIC = {"look_at_invitation", "accept_invitation", "decline_invitation"}


def named(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def send(client: FlaskClient, endpoint: Endpoint, organization: Any, headers: dict[str, str]) -> TestResponse:
    """A request without the body or query that the operation wants."""
    path = endpoint.path.replace("{organization_id}", str(organization))
    path = re.sub(r"{\w+}", SOMETHING, path)
    return client.open(path, method=endpoint.method, headers=headers)


def test_only_the_invitees_side_is_public() -> None:
    assert {endpoint.name for endpoint in ENDPOINTS if endpoint.is_public} == PUBLIC


@on_sqlite
@pytest.mark.parametrize("endpoint", GUARDED, ids=named)
def test_401_without_a_key(client: FlaskClient, acme: Acme, endpoint: Endpoint) -> None:
    for organization in (acme.id, SOMETHING, "x"):
        answer = send(client, endpoint, organization, {})
        assert (answer.status_code, answer.content_type) == (401, "application/json")


@on_sqlite
@pytest.mark.parametrize("endpoint", [item for item in GUARDED if item.permission], ids=named)
def test_403_without_the_permission(app: Flask, client: FlaskClient, acme: Acme, endpoint: Endpoint) -> None:
    with app.app_context():
        make_role(acme, "Nothing", [])
        headers = make_api_key(acme, "nothing").headers
    answer = send(client, endpoint, acme.id, headers)
    assert (answer.status_code, answer.content_type) == (403, "application/json")


@on_sqlite
@pytest.mark.parametrize("endpoint", [item for item in GUARDED if "{organization_id}" in item.path], ids=named)
def test_404_where_one_has_no_part(app: Flask, client: FlaskClient, key: Key, endpoint: Endpoint) -> None:
    with app.app_context():
        foreign = make_organization("Other").id
    answers = [send(client, endpoint, organization, key.headers) for organization in (foreign, SOMETHING, "x")]
    assert {(answer.status_code, answer.data) for answer in answers} == {(404, answers[0].data)}
