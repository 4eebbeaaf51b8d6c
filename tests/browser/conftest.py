"""Browser tests run on SQLite by default; differences between databases are tested without a browser."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.browser import assert_accessible


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def check_page() -> Callable[[Any], None]:
    """Check that axe finds nothing and that the smallest screen needs no sideways scrolling."""

    def check_page(page: Any) -> None:
        assert_accessible(page)
        size = page.viewport_size
        page.set_viewport_size({"width": 320, "height": 640})
        excess = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert excess <= 0, f"{page.url} is {excess} px too wide"
        assert_accessible(page)
        page.set_viewport_size(size)

    return check_page
