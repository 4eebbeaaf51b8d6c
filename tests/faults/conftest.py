"""Faults in real processes. `pytest tests/faults` prints a summary at its end."""

from collections.abc import Callable, Iterator
from dataclasses import astuple
from typing import Any

import pytest
from flask import Flask

from tests.support.mail import SmtpServer

from .scene import Record, Scene, Tally

HEADLINE = ("fault", "tries", "answered", "lost", "duplicated")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/faults/"):
            item.add_marker("process")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    passed = terminalreporter.stats.get("passed", [])
    rows = [value for report in passed for name, value in report.user_properties if name == "fault"]
    if rows:
        terminalreporter.section("faults")
        for row in (HEADLINE, *rows):
            terminalreporter.write_line("{:62} {:>6} {:>9} {:>5} {:>11}".format(*row))


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """Add a row to the summary and check that nothing was lost."""

    def record(fault: str, tally: Tally) -> None:
        request.node.user_properties.append(("fault", (fault, *astuple(tally))))
        assert tally.lost == 0

    return record


@pytest.fixture
def scene(make_app: Callable[..., Flask], environ: dict[str, str], smtp: SmtpServer) -> Iterator[Scene]:
    """Create a scene with queued delivery, unless a process is started with another setting."""
    settings = {"INVITE_MAIL_DELIVERY": "queued", "INVITE_MAIL_TIMEOUT": "10", **smtp.environ}
    scene = Scene(make_app(**settings), {**environ, **settings}, smtp)
    with scene.processes:
        yield scene
