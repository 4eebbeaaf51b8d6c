"""Fixtures for the published Clerk client, and plain requests for cases it cannot send."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from clerk_backend_api import Clerk
from clerk_backend_api.models import ClerkErrors
from clerk_backend_api.utils import BackoffStrategy, RetryConfig
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.factories import Acme, Key, Person, make_organization, make_person
from tests.support.server import LiveServer

# By default the client retries a 5xx for an hour.
ONCE = RetryConfig("none", BackoffStrategy(1, 1, 1.0, 1), retry_connection_errors=False)

PATIENCE = 60_000
Call = Callable[..., TestResponse]


@pytest.fixture
def make_sdk(live_server: LiveServer) -> Iterator[Callable[[str], Clerk]]:
    """Return the client with an API key: `make_sdk(key.secret)`."""
    with ExitStack() as clients:

        def make_sdk(secret: str) -> Clerk:
            client = Clerk(
                bearer_auth=secret, server_url=f"{live_server.url}/v1", retry_config=ONCE, timeout_ms=PATIENCE
            )
            return clients.enter_context(client)

        yield make_sdk


@pytest.fixture
def sdk(make_sdk: Callable[[str], Clerk], key: Key) -> Clerk:
    """Return the client with the owner's key."""
    return make_sdk(key.secret)


@pytest.fixture
def ana(app: Flask) -> Person:
    """Create an account without memberships."""
    with app.app_context():
        return make_person("ana@guest.example")


@pytest.fixture
def globex(app: Flask) -> Acme:
    """Create another organization, unrelated to `acme`."""
    with app.app_context():
        return make_organization("Globex")


@pytest.fixture
def call(client: FlaskClient, acme: Acme, key: Key) -> Call:
    """Send a request with the owner's key: `call("GET", "/organizations/{o}/roles")`; {o} is the organization."""

    def call(method: str, path: str, body: Any = None, *, headers: Any = None, **options: Any) -> TestResponse:
        if body is not None:
            options["json"] = body
        sent = key.headers if headers is None else headers
        return client.open("/v1" + path.replace("{o}", str(acme.id)), method=method, headers=sent, **options)

    return call


def errors_of(answer: TestResponse) -> tuple[int, list[tuple[str, str | None]]]:
    """Return the status, and the code and parameter of each error."""
    entries = answer.get_json()["errors"]
    return answer.status_code, [(item["code"], item.get("meta", {}).get("param_name")) for item in entries]


def client_error(call: Callable[..., Any], **given: Any) -> tuple[int, str]:
    """Return the status and code of the error that the published client raises."""
    with pytest.raises(ClerkErrors) as refused:
        call(**given)
    return refused.value.raw_response.status_code, refused.value.data.errors[0].code
