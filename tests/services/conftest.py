"""Every test here calls services directly, inside one application context, on both databases."""

import pytest

from tests.support.factories import Acme, make_organization


@pytest.fixture
def acme(app_context: None) -> Acme:
    return make_organization()


@pytest.fixture
def globex(app_context: None) -> Acme:
    """Another organization, which has nothing to do with `acme`."""
    return make_organization("Globex")
