"""Every test here calls services directly, inside one application context, on both databases."""

import pytest

from invite_app import api, cli, pages
from tests.support.factories import Acme, make_organization


@pytest.fixture(autouse=True)
def no_interfaces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Services need no interface, and an app without any is made in half the time."""
    if "client" not in request.fixturenames:
        for interface in (api, pages, cli):
            monkeypatch.setattr(interface, "register", lambda _: None)


@pytest.fixture
def acme(app_context: None) -> Acme:
    return make_organization()


@pytest.fixture
def globex(app_context: None) -> Acme:
    """Another organization, which has nothing to do with `acme`."""
    return make_organization("Globex")
