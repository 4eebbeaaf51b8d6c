"""Page tests send requests as browsers do, to the whole application, on both databases."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.support.factories import Acme, make_organization
from tests.support.visitor import Visitor


@pytest.fixture
def acme(app: Flask) -> Acme:
    with app.app_context():
        return make_organization()


@pytest.fixture
def globex(app: Flask) -> Acme:
    """Create another organization, unrelated to `acme`."""
    with app.app_context():
        return make_organization("Globex")


@pytest.fixture
def visit(app: Flask) -> Callable[..., Visitor]:
    """Return visitors with cookies of their own: `visit()`, or signed in with `visit(acme.owner)`."""

    def visit(person: Any = None, **environ: Any) -> Visitor:
        visitor = Visitor(app, **environ)
        return visitor.sign_in(person) if person else visitor

    return visit


@pytest.fixture
def owner(visit: Callable[..., Visitor], acme: Acme) -> Visitor:
    return visit(acme.owner)
