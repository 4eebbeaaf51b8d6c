"""Every operation checks caller, organization and permission before anything else."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from invite_app.api import DIALECTS
from invite_app.api.endpoint import Endpoint
from invite_app.db import session
from invite_app.models.types import Base, now
from invite_app.services import api_keys, imports, members
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, Key, invite, make_api_key, make_organization, make_role

SOMETHING = "01980000-0000-7000-8000-000000000001"
ENDPOINTS = [endpoint for dialect in DIALECTS for endpoint in dialect.endpoints]
GUARDED = [endpoint for endpoint in ENDPOINTS if not endpoint.is_public]
PUBLIC = {"look_at_invitation", "accept_invitation", "decline_invitation"}


def named(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def send(client: FlaskClient, endpoint: Endpoint, organization: Any, headers: dict[str, str]) -> TestResponse:
    """Send a request without the body or query that the operation requires."""
    path = endpoint.path.replace("{organization_id}", str(organization))
    path = re.sub(r"{\w+}", SOMETHING, path)
    return client.open(path, method=endpoint.method, headers=headers)


def test_only_invitee_operations_are_public() -> None:
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
        headers = make_api_key(acme, "nothing").headers | {"X-Organization-ID": str(acme.id)}
    answer = send(client, endpoint, acme.id, headers)
    assert (answer.status_code, answer.content_type) == (403, "application/json")


@on_sqlite
@pytest.mark.parametrize("endpoint", [item for item in GUARDED if "{organization_id}" in item.path], ids=named)
def test_404_for_a_foreign_organization(app: Flask, client: FlaskClient, key: Key, endpoint: Endpoint) -> None:
    with app.app_context():
        foreign = make_organization("Other").id
    answers = [send(client, endpoint, organization, key.headers) for organization in (foreign, SOMETHING, "x")]
    assert {(answer.status_code, answer.data) for answer in answers} == {(404, answers[0].data)}


class TestInvalidKeys:
    """Invalid, revoked or expired keys, and keys of removed members, are rejected everywhere."""

    @pytest.fixture
    def ended(self, app: Flask, acme: Acme) -> dict[str, dict[str, str]]:
        with app.app_context():
            revoked, removed = make_api_key(acme), make_api_key(acme, "admin", user=acme.admin)
            expired = make_api_key(acme, expires_at=now() + timedelta(seconds=1))
            api_keys.revoke(acme.id, revoked.id, by=acme.owner.actor)
            members.remove(acme.id, acme.admin.id, by=acme.owner.actor)
        keys = {"revoked": revoked.headers, "removed": removed.headers, "expired": expired.headers}
        return keys | {"bad": {"Authorization": "Bearer sk_nobody"}}

    @on_sqlite
    @pytest.mark.parametrize("endpoint", GUARDED, ids=named)
    def test_401(self, client: FlaskClient, acme: Acme, ended: dict[str, dict[str, str]], endpoint: Endpoint) -> None:
        with time_machine.travel(now() + timedelta(seconds=2)):
            for kind, headers in ended.items():
                assert (kind, send(client, endpoint, acme.id, headers).status_code) == (kind, 401)


@on_sqlite
@pytest.mark.parametrize("endpoint", [item for item in GUARDED if "{" in item.path], ids=named)
def test_ids_of_another_organization_are_not_found(
    app: Flask, client: FlaskClient, acme: Acme, key: Key, endpoint: Endpoint
) -> None:
    with app.app_context():
        other = make_organization("Other", workspace_names=("Secret",))
        make_role(other, "Secret role", [])
        ids = {
            "organization_id": acme.id,
            "invitation_id": invite(other, "ana@guest.example").id,
            "user_id": other.member.id,
            "api_key_id": make_api_key(other).id,
            "role": "secret-role",
            "workspace_name": "Secret",
            "batch_id": imports.send_batch(other.id, [], by=other.owner.actor)[0].id,
        }
        before = everything_of(other)
    path = re.sub(r"{(\w+)}", lambda found: str(ids[found.group(1)]), endpoint.path)
    if path == endpoint.path.replace("{organization_id}", str(acme.id)):
        return
    answer = client.open(path, method=endpoint.method, headers=key.headers, json={"role": "member", "name": "Mine"})
    is_empty_list = answer.is_json and isinstance(answer.json, dict) and answer.json.get("total_count") == 0
    assert answer.status_code >= 400 or is_empty_list
    assert "Secret" not in answer.text
    with app.app_context():
        assert everything_of(other) == before


def everything_of(acme: Acme) -> list[Any]:
    """Return every row of the organization except the audit log."""
    rows: list[Any] = []
    for table in Base.metadata.sorted_tables:
        if "organization_id" in table.c and table.name != "audit_events":
            found = session().execute(table.select().where(table.c.organization_id == acme.id))
            rows += sorted(map(repr, found))
    return rows
