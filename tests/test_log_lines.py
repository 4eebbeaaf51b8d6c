"""Input can neither start nor color a line of the log."""

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import structlog
from flask import Flask

from tests.support.databases import on_sqlite
from tests.support.server import ServerProcess

CONTROLS = "\n\r\x1b\x00\x7f\x85\x9b\u2028\u2029"
ESCAPED = r"\x0a\x0d\x1b\x00\x7f\x85\x9b\u2028\u2029"
PATH = "/x%0aFORGED%0dFORGED%1b%5b31m%00%7f%C2%85FORGED%C2%9b%E2%80%A8FORGED%E2%80%A9FORGED"


@pytest.fixture(params=["console", "json"])
def log_format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def lines(
    make_app: Callable[..., Flask], log_format: str, capsys: pytest.CaptureFixture[str]
) -> Callable[[], list[str]]:
    make_app(INVITE_LOG_FORMAT=log_format)
    capsys.readouterr()
    return lambda: capsys.readouterr().err.removesuffix("\n").split("\n")


@on_sqlite
class TestEvents:
    def test_values_stay_on_one_line(self, lines: Callable[[], list[str]], log_format: str) -> None:
        log = structlog.get_logger("invite_app.test")
        log.info("page_failed", path=f"/a{CONTROLS}b", nested=[{"path": CONTROLS}])
        (line,) = lines()
        if log_format == "json":
            assert json.loads(line)["path"] == f"/a{CONTROLS}b"
        else:
            assert f"path=/a{ESCAPED}b" in line
        assert not set(line) & (set(CONTROLS) - {"\x7f"})

    def test_messages_stay_on_one_line(self, lines: Callable[[], list[str]]) -> None:
        logging.getLogger("invite_app.somewhere").warning("Slow: %s", f"/a{CONTROLS}")
        (line,) = lines()
        assert not set(line) & (set(CONTROLS) - {"\x7f"})

    def test_tracebacks_are_indented(self, lines: Callable[[], list[str]], log_format: str) -> None:
        try:
            raise LookupError(f"a\nFORGED{CONTROLS}b")
        except LookupError:
            structlog.get_logger("invite_app.test").exception("page_failed")
        first, *rest = lines()
        assert "page_failed" in first
        assert bool(rest) == (log_format == "console")
        assert all(line.startswith("  ") for line in rest)
        assert "\x1b" not in "".join(rest)


@on_sqlite
@pytest.mark.parametrize("kind", ["flask run", "gunicorn"])
@pytest.mark.parametrize("log_format", ["console", "json"])
def test_requests_stay_on_one_line(start_process: Callable[..., ServerProcess], kind: str, log_format: str) -> None:
    options: dict[str, Any] = {"workers": 1} if kind == "gunicorn" else {}
    server = start_process(kind, INVITE_LOG_FORMAT=log_format, INVITE_TRUSTED_PROXIES="1", **options)
    before = len(server.output.splitlines())
    forged = {"X-Forwarded-For": "203.0.113.7\tFORGED", "X-Request-ID": "a\tFORGED", "User-Agent": "FORGED\t"}
    for path in (PATH, f"/static{PATH}", f"/organizations{PATH}/members", f"/api/v1{PATH}"):
        with suppress(HTTPError), urlopen(Request(server.url + path, headers=forged), timeout=10):
            pass
    assert server.stop() in (0, -15)
    lines = server.output.splitlines()[before:]
    assert sum(line.count("FORGED") > 0 for line in lines) == (
        4 if log_format == "console" or kind == "flask run" else 0
    )
    assert not [line for line in lines if line.startswith("FORGED")]
    assert not [line for line in lines if "\x1b[31m" in line or "\t" in line]
