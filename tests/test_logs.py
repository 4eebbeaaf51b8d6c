"""The log: one line per event, as text or JSON, without secrets."""

import json
import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from invite_app.db import session
from invite_app.models import Invitation
from invite_app.observability import logs
from tests.support.databases import on_sqlite
from tests.support.factories import PASSWORD, invite, make_api_key, make_organization, token_of
from tests.support.server import ServerProcess, run_command
from tests.support.visitor import Visitor

TOKEN = "AaH7xHzOctC7G8aDLV9W5W2dHlp7Aykpz6M5XxldTPsVsUuz6g"
KEY = "sk_ft5pRlOH4YVNWZp2H3Aqu8HyMyCHhhDfmAA0nHj4NJw"
UUID = "01a1fbc8-c9c8-72f0-b849-69b0acf74fcb"


@pytest.mark.parametrize(
    "text",
    [
        f"GET /invitations/{TOKEN} HTTP/1.1",
        f"GET /invitations/{TOKEN[:20]}%2D{TOKEN[21:]}/accept HTTP/1.1",
        f"http://localhost/sign-in/{TOKEN}",
        f"GET /account/address/{TOKEN} HTTP/1.1",
        f"POST /setup/{TOKEN} HTTP/1.1",
        f"GET /setup?token={TOKEN} HTTP/1.1",
        f"GET /auth?inv_code={TOKEN}&organization_id={UUID} HTTP/1.1",
        f"Authorization: Bearer {KEY}",
        f"postgresql://user:{TOKEN}@host/database",
    ],
)
def test_tokens_and_keys_are_redacted(text: str) -> None:
    hidden = logs.redact(text)
    assert logs.REDACTED in hidden
    assert TOKEN[:15] not in hidden
    assert TOKEN[-15:] not in hidden
    assert KEY[3:] not in hidden


@pytest.mark.parametrize(
    "text",
    [f"GET /organizations/{UUID}/invitations/{UUID}/edit HTTP/1.1", "GET /invitations/ HTTP/1.1", "key: value"],
)
def test_other_values_stay(text: str) -> None:
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


class TestRequestContext:
    """With JSON logs, every line during a request names its request and actor."""

    @pytest.fixture
    def tell(self, make_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
        def tell(**settings: str) -> tuple[Flask, Callable[[], list[dict[str, Any]]]]:
            app = make_app(INVITE_LOG_FORMAT="json", **settings)
            capsys.readouterr()
            return app, lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]

        return tell

    def test_key_is_named(self, tell: Callable[..., Any]) -> None:
        app, lines = tell()
        with app.app_context():
            acme = make_organization()
            key, sent = make_api_key(acme), invite(acme)
        path = f"/api/v1/organization/{acme.id}/invitations/{sent.id}?email=secret@guest.example"
        answer = app.test_client().get(path, headers={**key.headers, "X-Request-ID": "not-asked-for"})
        (line,) = lines()
        assert line.pop("milliseconds") > 0
        assert line.pop("timestamp")
        assert line == {
            "event": "request",
            "level": "info",
            "method": "GET",
            "route": "/api/v1/organization/<organization_id>/invitations/<invitation_id>",
            "status": 200,
            "request_id": answer.headers["X-Request-ID"],
            "actor": f"key:{key.id}",
            "organization": str(acme.id),
        }
        assert re.fullmatch("[0-9a-f]{16}", line["request_id"])

    def test_person_is_named(self, tell: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
        app, lines = tell()
        app.config["PROPAGATE_EXCEPTIONS"] = False
        with app.app_context():
            acme = make_organization()
        visitor = Visitor(app).sign_in(acme.owner)
        monkeypatch.setattr("invite_app.services.members.page_for", lambda *_, **__: 1 / 0)
        lines()
        visitor.get(f"/organizations/{acme.id}/members", 500)
        *accident, request = lines()
        assert accident[-1]["event"] == "page_failed"
        assert (request["event"], request["status"]) == ("request", 500)
        for line in (*accident, request):
            assert line["actor"] == f"person:{acme.owner.id}"
            assert line["organization"] == str(acme.id)
            assert line["request_id"] == request["request_id"]

    def test_token_of_a_stranger_is_hidden(self, tell: Callable[..., Any]) -> None:
        app, lines = tell()
        with app.app_context():
            token = token_of(invite(make_organization()))
        app.test_client().post(f"/invitations/{token}", data={"password": PASSWORD})
        printed = json.dumps(lines())
        assert "/invitations/<token>" in printed
        assert token not in printed
        assert PASSWORD not in printed

    @pytest.mark.parametrize("proxies", ["0", "1"])
    def test_request_id_of_a_trusted_proxy_is_used(self, tell: Callable[..., Any], proxies: str) -> None:
        app, lines = tell(INVITE_TRUSTED_PROXIES=proxies)
        for given in ("from-the-proxy-1", 'forged", "actor": "key', "x" * 100):
            app.test_client().get("/healthz", headers={"X-Request-ID": given})
        found = [line["request_id"] for line in lines()]
        assert (found[0] == "from-the-proxy-1") == (proxies == "1")
        assert all(re.fullmatch("[0-9a-f]{16}", one) for one in found[1:])

    def test_console_logs_have_none(self, client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
        assert "X-Request-ID" not in client.get("/healthz").headers
        assert "request" not in capsys.readouterr().err


def test_traceback_contains_no_token(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise LookupError(f"/invitations/{TOKEN}")
    except LookupError:
        app.logger.exception("Exception on /invitations/%s [GET]", TOKEN)
    printed = capsys.readouterr().err
    assert "LookupError" in printed
    assert TOKEN not in printed


def test_database_error_contains_no_value(app: Flask) -> None:
    with app.app_context(), pytest.raises(DatabaseError) as failed:
        session().execute(text("SELECT nothing FROM nowhere WHERE hash = :hash"), {"hash": TOKEN})
    assert "nowhere" in str(failed.value)
    assert TOKEN not in str(failed.value)


def test_several_apps_log_once(make_app: Callable[..., Flask], capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        make_app()
    logging.getLogger("invite_app.somewhere").warning("once")
    assert capsys.readouterr().err.count("once") == 1


@pytest.mark.process
@on_sqlite
@pytest.mark.parametrize("kind", ["flask run", "gunicorn"])
def test_journey_leaves_no_secret_in_the_log(
    make_app: Callable[..., Flask], environ: dict[str, str], start_process: Callable[..., ServerProcess], kind: str
) -> None:
    made = run_command("org", "create", "Acme", "--owner", "olivia@acme.example", "--json", environ=environ)
    acme = json.loads(made.stdout)
    server = start_process(kind)
    invitation = json.dumps({"given_name": "A", "family_name": "B", "email": "ana@guest.example", "role": "member"})
    key = {"Authorization": f"Bearer {acme['api_key']}", "Content-Type": "application/json"}
    path = f"/api/v1/organization/{acme['organization_id']}/invitation"
    assert _status(Request(server.url + path, invitation.encode(), key)) == 201
    with make_app().app_context():
        token = token_of(session().scalars(select(Invitation.id)).one())
    sign_in = acme["sign_in_url"].rpartition("/")[2]
    password = urlencode({"email": "olivia@acme.example", "password": PASSWORD}).encode()
    assert _status(Request(f"{server.url}/invitations/{token}")) == 200
    for target in (f"/sign-in/{sign_in}", f"/auth?inv_code={token}", f"/?api_key={acme['api_key']}"):
        _status(Request(server.url + target))
    _status(Request(f"{server.url}/sign-in", password))
    assert server.output.count("HTTP/1.1") >= 6
    assert not [secret for secret in (token, sign_in, acme["api_key"], PASSWORD) if secret in server.output]


def _status(request: Request) -> int:
    try:
        with urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code
