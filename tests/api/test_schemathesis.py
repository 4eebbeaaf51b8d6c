"""Requests generated from the OpenAPI document cause no server error and no undocumented response."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import schemathesis
import schemathesis.checks
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation.stateful.state_machine import APIStateMachine

from invite_app.api import DIALECTS
from invite_app.api.endpoint import Endpoint
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, Key, make_api_key, make_organization

pytestmark = on_sqlite
EXAMPLES = 50 if os.environ.get("CI") else 10
ENDPOINTS = [endpoint for dialect in DIALECTS for endpoint in dialect.endpoints]
QUICKLY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# Checks that need more than the document: business rules, or more than one request.
UNKNOWABLE = ("positive_data_acceptance", "ignored_auth", "missing_required_header", "unsupported_method")

schemathesis.checks.load_all_checks()
CHECKS = [check for check in schemathesis.checks.CHECKS.get_all() if check.__name__ not in UNKNOWABLE]


@pytest.fixture
def acme(app: Flask) -> Acme:
    with app.app_context():
        return make_organization()


@pytest.fixture
def key(app: Flask, acme: Acme) -> Key:
    with app.app_context():
        return make_api_key(acme, role="owner")


@pytest.fixture
def document(app: Flask) -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", app)


def names_of(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=names_of)
def test_responses_match_the_document(document: Any, acme: Acme, key: Key, endpoint: Endpoint) -> None:
    asked = 0

    @QUICKLY
    @given(case=document[endpoint.path][endpoint.method].as_strategy())
    def ask(case: Any) -> None:
        nonlocal asked
        asked += 1
        if asked % 3:
            aim(case, acme)
        case.call_and_validate(headers=key.headers, checks=CHECKS)

    ask()
    assert asked >= min(EXAMPLES, 1)


def test_linked_operations_match_the_document(document: Any, app: Flask, acme: Acme, key: Key) -> None:
    class Walk(document.as_state_machine()):  # type: ignore[misc]  # made at run time
        def setup(self) -> None:
            begin_again()

        def before_call(self, case: Any) -> None:
            aim(case, acme)

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": key.headers}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            case.validate_response(response, checks=CHECKS, headers=key.headers)

    assert issubclass(Walk, APIStateMachine)
    with snapshot(app) as begin_again:
        Walk.run(settings=settings(QUICKLY, max_examples=EXAMPLES, stateful_step_count=6))


@contextmanager
def snapshot(app: Flask) -> Iterator[Callable[[], None]]:
    """Return a function that restores the database.

    Every walk starts from the same rows; otherwise leftovers of an earlier one would change responses, and hypothesis
    would report a flaky test.
    """
    file = app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(":memory:")) as kept, closing(sqlite3.connect(file)) as database:
        database.backup(kept)
        yield lambda: kept.backup(database)


def aim(case: Any, acme: Acme) -> None:
    """Point the request at an existing organization, so that it gets past a 404."""
    for name in {"organization_id", "organization"} & set(case.path_parameters or {}):
        case.path_parameters[name] = str(acme.id)
