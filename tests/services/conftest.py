"""Tests here call services directly, inside one application context, on both databases."""

import pytest

from invite_app import api, cli, pages
from tests.support.factories import Acme, make_organization


@pytest.fixture(autouse=True)
def no_interfaces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Create apps without interfaces, which takes half the time."""
    if "client" not in request.fixturenames:
        for interface in (api, pages, cli):
            monkeypatch.setattr(interface, "register", lambda _: None)


@pytest.fixture
def acme(app_context: None) -> Acme:
    return make_organization()


@pytest.fixture
def globex(app_context: None) -> Acme:
    """Create another organization, unrelated to `acme`."""
    return make_organization("Globex")
