"""`flask run` prepares the database, prints where to go, and keeps secrets out of the request log."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.support.databases import on_sqlite
from tests.support.server import ServerProcess, run_command

pytestmark = pytest.mark.process

TOKEN = "AaH7xHzOctC7G8aDLV9W5W2dHlp7Aykpz6M5XxldTPsVsUuz6g"
Start = Callable[..., ServerProcess]


@pytest.fixture
def fresh(tmp_path: Any) -> dict[str, str]:
    """Return the settings of a new checkout."""
    return {"INVITE_INSTANCE_PATH": str(tmp_path / "instance")}


@pytest.mark.parametrize("arguments", [(), ("--debug",)])
def test_first_start_prints_the_setup_link_once(fresh: dict[str, str], arguments: tuple[str, ...]) -> None:
    server = ServerProcess.flask_run({**fresh, "INVITE_EXTERNAL_URL": ""}, *arguments).wait_until_up("/readyz")
    try:
        port = server.url.rpartition(":")[2]
        links = re.findall(r"http://localhost:\d+/setup\?token=[0-9a-f]{40}", server.output)
        assert [link.partition("/setup")[0] for link in links] == [f"http://localhost:{port}"]
        assert server.output.count(f" * invite_app is at http://localhost:{port}\n") == 1
        assert _status(server.url + "/readyz") == 200
    finally:
        server.close()


def test_no_link_once_an_account_exists(fresh: dict[str, str]) -> None:
    made = run_command("org", "create", "Acme", "--owner", "olivia@acme.example", "--json", environ=fresh)
    assert made.returncode == 0, made.stderr
    server = ServerProcess.flask_run(fresh).wait_until_up()
    try:
        assert f" * invite_app is at {server.url}\n" in server.output
        assert "setup" not in server.output
    finally:
        server.close()


@on_sqlite
def test_request_log_contains_no_token(start_process: Start) -> None:
    server = start_process("flask run")
    for path in (f"/invitations/{TOKEN}", f"/sign-in/{TOKEN}", f"/setup?token={TOKEN}", f"/auth?inv_code={TOKEN}"):
        _status(server.url + path)
    assert "/invitations/[redacted] HTTP/1.1" in server.output
    assert "inv_code=[redacted] HTTP/1.1" in server.output
    assert TOKEN not in server.output


@on_sqlite
def test_gunicorn_prints_no_link(start_process: Start) -> None:
    server = start_process("gunicorn", workers=1)
    assert "setup" not in server.output


def _status(url: str) -> int:
    with suppress(urllib.error.HTTPError), urllib.request.urlopen(url, timeout=5) as answer:
        return int(answer.status)
    return 0
