"""Fixtures for API tests: an organization and its keys."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from invite_app.services import accounts
from tests.api.error_examples import EXAMPLES
from tests.support.factories import Acme, Key, Person, make_api_key, make_organization
from tests.support.statements import record_statements


@pytest.fixture(autouse=True)
def drop_tracebacks() -> Iterator[None]:
    """Drop the tracebacks of shared error instances, which would keep their app alive."""
    yield
    for error in EXAMPLES.values():
        error.__traceback__ = error.__context__ = None


@pytest.fixture
def acme(app: Flask) -> Acme:
    with app.app_context():
        return make_organization()


@pytest.fixture
def key(app: Flask, acme: Acme) -> Key:
    """Return the owner's key, which has all permissions."""
    with app.app_context():
        return make_api_key(acme)


@pytest.fixture
def make_key(app: Flask, acme: Acme) -> Callable[..., Key]:
    """Return a function that creates keys: `make_key("admin")`, `make_key("member", user=acme.member)`."""

    def make_key(role: str, user: Person | None = None) -> Key:
        with app.app_context():
            return make_api_key(acme, role, user=user)

    return make_key


@pytest.fixture
def signed_in(app: Flask) -> Callable[[Person], FlaskClient]:
    """Return a client with a signed-in session."""

    def signed_in(person: Person) -> FlaskClient:
        with app.app_context():
            started = accounts.start_session(person.id, device=accounts.Device())
        browser = app.test_client()
        with browser.session_transaction() as cookie:
            cookie["_user_id"] = started.id
        return browser

    return signed_in


@pytest.fixture
def count_queries(app: Flask) -> Callable[[], Any]:
    """Collect the SQL statements of a block, without BEGIN: `with count_queries() as statements:`."""

    return partial(record_statements, app)
