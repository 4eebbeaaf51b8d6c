"""The log: one line per event, for people or programs, and no secret in any of them."""

import json
import logging
import re
from collections.abc import Callable

import pytest
import structlog
from flask import Flask

from invite_app import logs

TOKEN = "AaH7xHzOctC7G8aDLV9W5W2dHlp7Aykpz6M5XxldTPsVsUuz6g"
KEY = "sk_ft5pRlOH4YVNWZp2H3Aqu8HyMyCHhhDfmAA0nHj4NJw"
UUID = "01a1fbc8-c9c8-72f0-b849-69b0acf74fcb"


@pytest.mark.parametrize(
    "text",
    [
        f"GET /invitations/{TOKEN} HTTP/1.1",
        f"GET /invitations/{TOKEN[:20]}%2D{TOKEN[21:]}/accept HTTP/1.1",
        f"http://localhost/sign-in/{TOKEN}",
        f"GET /setup?token={TOKEN} HTTP/1.1",
        f"GET /auth?inv_code={TOKEN}&organization_id={UUID} HTTP/1.1",
        f"Authorization: Bearer {KEY}",
        f"postgresql://user:{TOKEN}@host/database",
    ],
)
def test_tokens_and_keys_are_redacted(text: str) -> None:
    hidden = logs.redact(text)
    assert logs.HIDDEN in hidden
    assert TOKEN[:15] not in hidden
    assert TOKEN[-15:] not in hidden
    assert KEY[3:] not in hidden


@pytest.mark.parametrize(
    "text",
    [f"GET /organizations/{UUID}/invitations/{UUID}/edit HTTP/1.1", "GET /invitations/ HTTP/1.1", "key: value"],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert logs.redact(text) == text


def test_events_are_readable_lines(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger("invite_app.test").info("something_happened", path=f"/invitations/{TOKEN}", password="x")
    line = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().err)
    assert re.fullmatch(
        r"\S+Z \[info +\] something_happened +password=\[redacted\] path=/invitations/\[redacted\]\n", line
    )


def test_events_are_json_when_asked(make_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str]) -> None:
    app = make_app(INVITE_LOG_FORMAT="json")
    app.logger.warning("Slow: %s", f"/sign-in/{TOKEN}", extra={"ignored": 1})
    structlog.get_logger("invite_app.test").warning("nested", tried=[{"api_key": KEY, "url": f"/?key={KEY}"}])
    flask, ours = map(json.loads, capsys.readouterr().err.splitlines())
    assert (flask["event"], flask["level"]) == ("Slow: /sign-in/[redacted]", "warning")
    assert ours["tried"] == [{"api_key": "[redacted]", "url": "/?key=[redacted]"}]


def test_a_traceback_shows_no_token(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise LookupError(f"/invitations/{TOKEN}")
    except LookupError:
        app.logger.exception("Exception on /invitations/%s [GET]", TOKEN)
    printed = capsys.readouterr().err
    assert "LookupError" in printed
    assert TOKEN not in printed


def test_many_apps_log_once(make_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        make_app()
    logging.getLogger("invite_app.somewhere").warning("once")
    assert capsys.readouterr().err.count("once") == 1
