"""Unknown paths, wrong methods and internal errors are answered in each dialect's format."""

import logging
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient

from invite_app.services import invitations
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, Key

pytestmark = on_sqlite


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/", "/api/v1/nope", "/api/v1/me/", "/api/v1/users/a/b"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_404_for_an_unknown_path(client: FlaskClient, method: str, path: str) -> None:
    answer = client.open(path, method=method, data=b"{", content_type="text/html")
    assert (answer.status_code, answer.data) == (404, b'{"detail":"Not Found"}')
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["/api/v10", "/api/v1x/me", "/other"])
def test_prefix_ends_at_a_slash(client: FlaskClient, path: str) -> None:
    assert b'"detail"' not in client.get(path).data


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "GET", "DELETE"])
def test_405(client: FlaskClient, acme: Acme, method: str) -> None:
    answer = client.open(f"/api/v1/organization/{acme.id}/invitation", method=method)
    assert (answer.status_code, answer.data) == (405, b'{"detail":"Method Not Allowed"}')
    assert (answer.headers["Content-Type"], answer.headers["Allow"]) == ("application/json", "POST")


def test_unknown_host_is_refused(client: FlaskClient) -> None:
    answer = client.get("/api/v1/me", headers={"Host": "elsewhere.example"})
    assert (answer.status_code, answer.data) == (400, b'{"detail":"Bad Request"}')


def test_head_is_get_without_a_body(client: FlaskClient, key: Key) -> None:
    answer = client.head("/api/v1/me", headers=key.headers)
    assert (answer.status_code, answer.data, answer.headers["Content-Type"]) == (200, b"", "application/json")


def test_body_on_get_is_ignored(client: FlaskClient, key: Key) -> None:
    answer = client.get("/api/v1/me", data=b"", content_type="application/json", headers=key.headers)
    assert answer.status_code == 200


def test_internal_errors_are_logged_and_reveal_nothing(
    client: FlaskClient, acme: Acme, key: Key, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> NoReturn:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(invitations, "send", fail)
    body = {"given_name": "Ana", "family_name": "Guest", "email": "ana@guest.example", "role": "member"}
    with caplog.at_level(logging.ERROR):
        answer = client.post(f"/api/v1/organization/{acme.id}/invitation", json=body, headers=key.headers)
    assert (answer.status_code, answer.data) == (500, b'{"detail":"Internal Server Error"}')
    assert answer.headers["Content-Type"] == "application/json"
    assert "ZeroDivisionError" in caplog.text


def test_responses_are_never_cached(client: FlaskClient, key: Key) -> None:
    assert client.get("/api/v1/me", headers=key.headers).headers["Cache-Control"] == "no-store"


def test_no_csrf_token_is_required(make_app: Callable[..., Flask], acme: Acme, key: Key) -> None:
    app = make_app()
    app.config["WTF_CSRF_ENABLED"] = True
    answer = app.test_client().post("/api/v1/workspaces", json={"name": "Lab"}, headers=key.headers)
    assert answer.status_code == 201
