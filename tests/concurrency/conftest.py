"""Fixtures for simultaneous calls in threads of one process."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from tests.support.factories import Acme, make_organization

Outcome = Any
Together = Callable[[Iterable[Callable[[], Any]]], list[Outcome]]


@pytest.fixture
def acme(app: Flask) -> Acme:
    with app.app_context():
        return make_organization()


@pytest.fixture
def together(app: Flask) -> Together:
    """Call all functions at once, each with a database session of its own; return results or errors in order."""

    def together(actions: Iterable[Callable[[], Any]]) -> list[Outcome]:
        waiting = list(actions)
        start = threading.Barrier(len(waiting))

        def do(action: Callable[[], Any]) -> Outcome:
            with app.app_context():
                start.wait(10)
                try:
                    return action()
                except Exception as error:  # noqa: BLE001 - the test says which errors it expects
                    return error

        with ThreadPoolExecutor(len(waiting)) as pool:
            return list(pool.map(do, waiting))

    return together
