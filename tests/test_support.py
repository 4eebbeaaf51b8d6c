"""Tests of the test support itself: mail server and faults, databases, browser."""

import smtplib
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any

import psycopg
import pytest
from flask import Flask
from playwright.sync_api import Page
from redis import ConnectionError as RedisConnectionError
from redis import Redis
from sqlalchemy import select, text

from invite_app.db import is_current, session
from invite_app.extensions import db
from invite_app.models import Organization
from tests.support.browser import assert_accessible
from tests.support.database_pool import UsedDatabases
from tests.support.databases import TEMPLATE, Databases, on_postgres, on_sqlite
from tests.support.factories import make_organization
from tests.support.mail import SmtpServer
from tests.support.redis import RedisServer
from tests.support.server import LiveServer, ServerProcess, run_command
from tests.support.tls import Authority

GOOD = "<!doctype html><html lang=en><title>Good</title><link rel=icon href=data:,><main><h1>Good</h1></main>"
ASTRAY = (
    "<!doctype html><html lang=en><title>Astray</title>"
    "<meta http-equiv=Content-Security-Policy content=\"script-src 'self'\">"
    "<link rel=icon href=data:,><main><h1>Astray</h1>"
    "<img alt='' src=https://other.example/pixel.png><p style='color: #eee'>pale</p></main>"
    "<script>stolen()</script>"
)


def message(to: str = "ana@guest.example") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "us@ours.example", to, "Grüße"
    message.set_content("Your link: https://invite.example/invitations/abc")
    message.add_alternative("<p>Your link", subtype="html")
    return message


def connect(server: SmtpServer) -> smtplib.SMTP:
    return smtplib.SMTP(server.host, server.port, timeout=5)


class TestMailServer:
    def test_remembers_messages_and_counts_connections(self, smtp: SmtpServer) -> None:
        with connect(smtp) as client:
            client.send_message(message())
            client.send_message(message("bo@guest.example"))
        smtp.wait_for(2)
        (received,) = smtp.to("ana@guest.example")
        assert (received.subject, received.html.strip()) == ("Grüße", "<p>Your link")
        assert received.links == ["https://invite.example/invitations/abc"]
        assert smtp.connections == 1

    def test_rejects_a_recipient_a_given_number_of_times(self, smtp: SmtpServer) -> None:
        smtp.fail("451 4.7.1 later", to="ana@guest.example", times=1)
        with connect(smtp) as client:
            with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
                client.send_message(message())
            assert refused.value.recipients["ana@guest.example"] == (451, b"4.7.1 later")
            client.send_message(message())
        assert len(smtp.messages) == 1

    @pytest.mark.parametrize("stage", ["connect", "ehlo", "mail", "rcpt", "data", "message"])
    def test_drops_the_connection_at_any_stage(self, smtp: SmtpServer, stage: Any) -> None:
        smtp.drop(at=stage)
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)), connect(smtp) as client:
            client.send_message(message())
        assert smtp.messages == []
        smtp.behave()
        with connect(smtp) as client:
            client.send_message(message())
        assert len(smtp.messages) == 1

    def test_hangs(self, smtp: SmtpServer) -> None:
        smtp.hang(30, at="rcpt")
        began = time.monotonic()
        client = smtplib.SMTP(smtp.host, smtp.port, timeout=0.2)
        with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
            client.send_message(message())
        assert time.monotonic() - began < 5

    def test_closes_idle_connections(self, smtp: SmtpServer) -> None:
        with connect(smtp) as client:
            client.send_message(message())
            smtp.close_connections(goodbye=None)
            with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
                client.send_message(message())
        assert smtp.open_connections == 0

    def test_requires_starttls_and_a_login(self, smtp_starttls: SmtpServer, trusted_authority: Authority) -> None:
        with connect(smtp_starttls) as client:
            with pytest.raises(smtplib.SMTPSenderRefused):
                client.send_message(message())
            client.starttls(context=ssl.create_default_context())
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("mailer", "wrong")
            client.login("mailer", "mail password")
            client.send_message(message())
        assert (smtp_starttls.messages[0].over_tls, smtp_starttls.messages[0].username) == (True, "mailer")

    def test_is_untrusted_without_its_authority(self, smtp_tls: SmtpServer) -> None:
        with pytest.raises(ssl.SSLCertVerificationError):
            smtplib.SMTP_SSL(smtp_tls.host, smtp_tls.port, context=ssl.create_default_context(), timeout=5)

    def test_speaks_tls_from_the_first_byte(self, smtp_tls: SmtpServer, authority: Authority) -> None:
        context = authority.client_context()
        with smtplib.SMTP_SSL(smtp_tls.host, smtp_tls.port, context=context, timeout=5) as client:
            client.login("mailer", "mail password")
            client.send_message(message())
        assert smtp_tls.messages[0].over_tls


@pytest.fixture
def used(databases: Databases, database_url: str) -> Iterator[UsedDatabases]:
    """Return databases like those of the tests; the template was made for this test."""
    used = UsedDatabases(databases.postgres(), TEMPLATE)
    yield used
    used.close()


class TestDatabases:
    @pytest.mark.parametrize("turn", [1, 2])
    def test_each_test_has_its_own(self, app: Flask, turn: int) -> None:
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(text("CREATE TABLE left_by_an_earlier_test (id INTEGER)"))

    @pytest.mark.parametrize("turn", [1, 2])
    def test_has_no_rows_of_another(self, app_context: None, turn: int) -> None:
        assert session().scalars(select(Organization)).all() == []
        make_organization()

    @on_postgres
    def test_is_reused_when_only_rows_changed(self, used: UsedDatabases) -> None:
        url = used.take()
        with psycopg.connect(url) as connection:
            connection.execute(
                "INSERT INTO users VALUES (gen_random_uuid(), 'a@b.example', 'A', 'B', NULL, true, now())"
            )
        used.release(url)
        assert used.take() == url
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)

    @on_postgres
    @pytest.mark.parametrize(
        "change",
        [
            "ALTER TABLE users ALTER COLUMN given_name TYPE varchar(999)",
            "ALTER TABLE users ADD COLUMN more INTEGER",
            "CREATE INDEX another ON users (given_name)",
            "ALTER TABLE users ADD CHECK (id IS NOT NULL)",
            "DROP TABLE weekly_figures",
            "UPDATE alembic_version SET version_num = '0000'",
        ],
    )
    def test_is_not_reused_after_a_schema_change(self, used: UsedDatabases, change: str) -> None:
        url = used.take()
        with psycopg.connect(url) as connection:
            connection.execute(change)
        used.release(url)
        assert used.take() != url

    @on_postgres
    def test_is_not_reused_while_someone_is_connected(self, used: UsedDatabases) -> None:
        url = used.take()
        with psycopg.connect(url):
            used.release(url)
            assert used.take() != url

    def test_is_migrated(self, app: Flask) -> None:
        with app.app_context():
            assert is_current()

    def test_apps_of_one_test_share_it(self, make_app: Callable[..., Flask]) -> None:
        first, second = make_app(), make_app(INVITE_MAIL_DELIVERY="queued")
        assert first.config["SQLALCHEMY_DATABASE_URI"] == second.config["SQLALCHEMY_DATABASE_URI"]


BareServer = Callable[..., LiveServer]


@pytest.fixture
def bare(authority: Authority) -> Iterator[BareServer]:
    """Serve one page of a separate app."""
    servers: list[LiveServer] = []

    def serve(page: str, *, https: bool = False) -> LiveServer:
        app = Flask("bare")
        app.add_url_rule("/", view_func=lambda: page)
        servers.append(LiveServer(authority=authority if https else None).start(app))
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()


class TestBrowser:
    """Pages of a separate app, since ours prevents these errors."""

    def test_reports_misbehaving_pages(self, open_page: Callable[..., Page], bare: BareServer) -> None:
        page = open_page(bare(ASTRAY))
        page.goto("/")
        page.wait_for_timeout(200)
        faults = "\n".join(page.watch.faults)
        assert "another host: https://other.example/pixel.png" in faults
        assert "Content Security Policy" in faults
        with pytest.raises(AssertionError, match="color-contrast"):
            assert_accessible(page)
        page.watch.allow("")

    @pytest.mark.parametrize("https", [False, True])
    def test_reports_nothing_for_a_valid_page(self, open_page: Any, bare: BareServer, https: bool) -> None:
        page = open_page(bare(GOOD, https=https))
        page.goto("/")
        assert_accessible(page)


@on_sqlite
class TestProcesses:
    @pytest.mark.parametrize("kind", ["flask run", "gunicorn"])
    def test_listen_on_their_own_address(self, start_process: Callable[..., ServerProcess], kind: str) -> None:
        server = start_process(kind)
        with urllib.request.urlopen(f"{server.url}/healthz") as answer:
            assert answer.status == 200

    def test_commands_return_their_output(self, environ: dict[str, str]) -> None:
        command = run_command("--version", environ=environ)
        assert (command.returncode, "Flask" in command.stdout) == (0, True)

    def test_server_that_fails_to_start_says_why(self, start_process: Callable[..., ServerProcess]) -> None:
        with pytest.raises(RuntimeError, match="INVITE_MAIL_PORT"):
            start_process("gunicorn", INVITE_MAIL_PORT="many")


def test_redis_stops_and_starts(redis_server: RedisServer) -> None:
    with Redis.from_url(redis_server.url) as client:
        client.set("name", "value")
        redis_server.stop()
        with pytest.raises(RedisConnectionError):
            client.get("name")
        redis_server.start()
        assert client.get("name") is None
