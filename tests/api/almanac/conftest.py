"""Fixtures for requests to the Almanac API."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.factories import Acme, Key, make_api_key, make_organization

Post = Callable[..., TestResponse]

ANA = {"email": "ana@guest.example", "role": "member"}


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
def url(acme: Acme) -> str:
    return f"/v1/organizations/{acme.id}"


@pytest.fixture
def post(client: FlaskClient, url: str, key: Key) -> Post:
    """Invite Ana with the owner's key; `post(role="admin")` changes the body, `post(headers={})` the headers."""

    def post(headers: dict[str, str] = key.headers, **changes: Any) -> TestResponse:
        return client.post(f"{url}/members/invite", json={**ANA, **changes}, headers=headers)

    return post
