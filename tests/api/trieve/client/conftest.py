"""Fixtures for the published Trieve client, pointed at a live server."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from trieve_py_client import ApiClient, Configuration
from trieve_py_client.api import AuthApi, InvitationApi, OrganizationApi, UserApi
from trieve_py_client.models import InvitationData

from invite_app.services import accounts
from tests.support.factories import Acme, Key, Person, make_api_key, make_organization
from tests.support.mail import SmtpServer
from tests.support.server import LiveServer


class Trieve:
    """The parts of the client that concern an organization, authenticated alike."""

    def __init__(self, client: ApiClient) -> None:
        self.auth, self.invitations = AuthApi(client), InvitationApi(client)
        self.organizations, self.users = OrganizationApi(client), UserApi(client)


Connect = Callable[..., Trieve]


def message_of(error: pytest.ExceptionInfo[Any]) -> str:
    """Return the message of a client error."""
    return str(error.value.data.message)


@pytest.fixture
def server(serve: Callable[..., LiveServer], smtp: SmtpServer) -> LiveServer:
    return serve(**smtp.environ)


@pytest.fixture
def app(server: LiveServer) -> Flask:
    """Run the tests' own code in the app that is served."""
    return server.app


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
def trieve(connect: Connect, key: Key) -> Trieve:
    """Return the client with the owner's key."""
    return connect(key.secret)


@pytest.fixture
def ana(server: LiveServer) -> InvitationData:
    """Invite Ana as a member; the link leads to this server itself."""
    return InvitationData(
        app_url=server.url, email="ana@guest.example", redirect_uri=f"{server.url}/organizations", user_role=0
    )


@pytest.fixture
def connect(server: LiveServer) -> Iterator[Connect]:
    """Connect the client: `connect(key.secret)`, `connect(key.secret, prefix="Bearer")`, `connect(cookie="...")`."""
    with ExitStack() as clients:

        def connect(
            secret: str | None = None, *, prefix: str = "", cookie: str | None = None, **headers: Any
        ) -> Trieve:
            settings = {"api_key": {"ApiKey": secret}, "api_key_prefix": {"ApiKey": prefix}} if secret else {}
            client = ApiClient(Configuration(host=server.url, **settings), cookie=cookie)
            clients.callback(_close, client)
            for name, value in headers.items():
                client.set_default_header(name.replace("_", "-"), value)
            return Trieve(client)

        yield connect


def _close(client: ApiClient) -> None:
    pools = client.rest_client.pool_manager.pools
    for key in pools.keys():  # noqa: SIM118 - not a mapping
        pools[key].close()


@pytest.fixture
def cookie_of(app: Flask) -> Callable[[Person], str]:
    """Return the cookie header of a signed-in browser."""

    def cookie_of(person: Person) -> str:
        with app.app_context():
            started = accounts.start_session(person.id, device=accounts.Device())
        browser = app.test_client()
        with browser.session_transaction() as session:
            session["_user_id"] = started.id
        cookie = browser.get_cookie("session")
        assert cookie is not None
        return f"session={cookie.value}"

    return cookie_of
