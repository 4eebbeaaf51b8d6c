"""Problems of other systems, tested from outside: through pages, HTTP and mail."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.concurrency.conftest import together
from tests.pages.conftest import acme, globex, owner, visit
from tests.support.factories import Acme, invite, make_api_key, token_of
from tests.support.mail import SmtpServer

__all__ = ["acme", "globex", "owner", "together", "visit"]


@pytest.fixture
def offer(app: Flask, acme: Acme) -> Callable[..., str]:
    """Return the path of a new invitation's link: `offer("ana@guest.example", "admin", by=acme.admin.actor)`."""

    def offer(email: str = "ana@guest.example", role: str = "member", *, copied: bool = False, **draft: Any) -> str:
        with app.app_context():
            return f"/invitations/{token_of(invite(acme, email, role, **draft), copied=copied)}"

    return offer


@pytest.fixture
def key(app: Flask, acme: Acme) -> dict[str, str]:
    """Return the headers of the owner's key."""
    with app.app_context():
        return make_api_key(acme).headers


@pytest.fixture
def call_api(client: FlaskClient, acme: Acme, key: dict[str, str]) -> Callable[..., Any]:
    """Send a request to the native API below the organization: `call_api("POST", "/invitation", {...})`."""

    def call_api(method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        address = f"/api/v1/organization/{acme.id}{path}"
        return client.open(address, method=method, json=body, headers=headers or key)

    return call_api


@pytest.fixture
def mailing(make_app: Callable[..., Flask], smtp: SmtpServer) -> Flask:
    """Return the application with a mail server."""
    return make_app(**smtp.environ)
