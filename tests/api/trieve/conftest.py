"""Fixtures for requests to the Trieve API."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.factories import Acme, Key, make_api_key, make_organization

Post = Callable[..., TestResponse]

ANA = {
    "app_url": "http://localhost",
    "email": "ana@guest.example",
    "redirect_uri": "http://localhost/organizations",
    "user_role": 0,
}


@pytest.fixture
def globex(app: Flask) -> Acme:
    """Create another organization, unrelated to `acme`."""
    with app.app_context():
        return make_organization("Globex")


@pytest.fixture
def foreign_key(app: Flask, globex: Acme) -> Key:
    with app.app_context():
        return make_api_key(globex)


@pytest.fixture
def headers(acme: Acme, key: Key) -> dict[str, str]:
    """Return the headers of the published client: the organization, and the owner's key without a scheme."""
    return {"TR-Organization": str(acme.id), "Authorization": key.secret}


@pytest.fixture
def post(client: FlaskClient, headers: dict[str, str]) -> Post:
    """Invite Ana with the owner's key; `post(user_role=7)` changes the body, `post(headers={...})` the headers."""

    def post(headers: dict[str, str] = headers, **changes: Any) -> TestResponse:
        return client.post("/api/invitation", json={**ANA, **changes}, headers=headers)

    return post
