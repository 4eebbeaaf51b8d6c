"""The published client of Clerk's API, pointed at a live server, and plain requests for what it cannot send."""

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

ONCE = RetryConfig("none", BackoffStrategy(1, 1, 1.0, 1), retry_connection_errors=False)
"""Left alone, the client repeats a 5xx for an hour."""

PATIENCE = 60_000
Call = Callable[..., TestResponse]


@pytest.fixture
def make_sdk(live_server: LiveServer) -> Iterator[Callable[[str], Clerk]]:
    """The client with an API key: `make_sdk(key.secret)`."""
    with ExitStack() as clients:

        def make_sdk(secret: str) -> Clerk:
            client = Clerk(
                bearer_auth=secret, server_url=f"{live_server.url}/v1", retry_config=ONCE, timeout_ms=PATIENCE
            )
            return clients.enter_context(client)

        yield make_sdk


@pytest.fixture
def sdk(make_sdk: Callable[[str], Clerk], key: Key) -> Clerk:
    """The client with the owner's key."""
    return make_sdk(key.secret)


@pytest.fixture
def ana(app: Flask) -> Person:
    """Somebody with an account who belongs to nothing yet."""
    with app.app_context():
        return make_person("ana@guest.example")


@pytest.fixture
def globex(app: Flask) -> Acme:
    """Another organization, which has nothing to do with `acme`."""
    with app.app_context():
        return make_organization("Globex")


@pytest.fixture
def call(client: FlaskClient, acme: Acme, key: Key) -> Call:
    """A request with the owner's key: `call("GET", "/organizations/{o}/memberships")`; {o} is the organization."""

    def call(method: str, path: str, body: Any = None, *, headers: Any = None, **options: Any) -> TestResponse:
        if body is not None:
            options["json"] = body
        sent = key.headers if headers is None else headers
        return client.open("/v1" + path.replace("{o}", str(acme.id)), method=method, headers=sent, **options)

    return call


def errors_of(answer: TestResponse) -> tuple[int, list[tuple[str, str | None]]]:
    """The status, and of every error its code and the parameter at fault."""
    entries = answer.get_json()["errors"]
    return answer.status_code, [(item["code"], item.get("meta", {}).get("param_name")) for item in entries]


def refusal(call: Callable[..., Any], **given: Any) -> tuple[int, str]:
    """The status and the code with which the published client says that it was refused."""
    with pytest.raises(ClerkErrors) as refused:
        call(**given)
    return refused.value.raw_response.status_code, refused.value.data.errors[0].code
