"""Settings: allowed values, messages for invalid ones, and rotation of secrets."""

import multiprocessing
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template_string, session
from sqlalchemy import text

from invite_app import create_app, db, tokens
from invite_app.config import Settings, read_settings
from invite_app.errors import ConfigurationError, InvalidLink
from invite_app.services import invitations
from tests.support.databases import BASE, dispose, on_sqlite
from tests.support.factories import invite, make_organization, token_of
from tests.support.server import run_command

OLD, NEW = "the secret until yesterday", "the secret as of today"

GOOD = [
    ("EXTERNAL_URL", "https://invite.example.com/", "https://invite.example.com"),
    ("EXTERNAL_URL", "http://[::1]:8000", "http://[::1]:8000"),
    ("DATABASE_URL", "postgres://a:b@c/d", "postgresql+psycopg://a:b@c/d"),
    ("DATABASE_URL", "postgresql://a:b@c/d", "postgresql+psycopg://a:b@c/d"),
    ("DATABASE_URL", "sqlite:////tmp/x.sqlite", "sqlite:////tmp/x.sqlite"),
    ("MAIL_USE_TLS", "true", True),
    ("MAIL_USE_SSL", "0", False),
    ("MAIL_PORT", " 2525 ", 2525),
    ("MAIL_SERVER", "smtp.example.com", "smtp.example.com"),
    ("MAIL_SERVER", "::1", "::1"),
    ("MAIL_DEFAULT_SENDER", '"Acme, Inc." <mail@acme.example>', '"Acme, Inc." <mail@acme.example>'),
    ("SECRET_KEY_FALLBACKS", f"{OLD}, {NEW},", [OLD, NEW]),
    ("MAIL_TIMEOUT", "2.5", 2.5),
    ("REDIS_URL", "redis://localhost:6379/0", "redis://localhost:6379/0"),
    ("RATE_LIMITS", "", "on"),
]

BAD = [
    ("EXTERNAL_URL", "invite.example.com"),
    ("EXTERNAL_URL", "ftp://invite.example.com"),
    ("EXTERNAL_URL", "https://invite.example.com/path"),
    ("EXTERNAL_URL", "https://invite.example.com?x"),
    ("EXTERNAL_URL", "https://user@invite.example.com"),
    ("EXTERNAL_URL", "https://a b"),
    ("EXTERNAL_URL", "https://invite.example.com:http"),
    ("DATABASE_URL", "mysql://a:b@c/d"),
    ("DATABASE_URL", "sqlite://"),
    ("DATABASE_URL", "sqlite:///:memory:"),
    ("DATABASE_URL", "postgresql://host:port/d"),
    ("DATABASE_URL", "postgresql"),
    ("SECRET_KEY", "short"),
    ("SECRET_KEY_FALLBACKS", f"{OLD},short"),
    ("TRUSTED_PROXIES", "-1"),
    ("TRUSTED_PROXIES", "10.0.0.0/8"),
    ("MAIL_SERVER", "smtp://smtp.example.com"),
    ("MAIL_SERVER", "smtp.example.com:587"),
    ("MAIL_PORT", "0"),
    ("MAIL_PORT", "smtp"),
    ("MAIL_USE_TLS", "yes please"),
    ("MAIL_USE_SSL", "2"),
    ("MAIL_DEFAULT_SENDER", "Acme"),
    ("MAIL_DEFAULT_SENDER", "mail@acme.example\nBcc: all@acme.example"),
    ("MAIL_TIMEOUT", "0"),
    ("MAIL_TIMEOUT", "inf"),
    ("MAIL_DELIVERY", "later"),
    ("OUTBOX_WORKER", "thread"),
    ("REDIS_URL", "localhost:6379"),
    ("RATE_LIMITS", "true"),
    ("LOG_FORMAT", "xml"),
    ("SQLITE_SYNCHRONOUS", "off"),
]


@pytest.mark.parametrize(("name", "text", "value"), GOOD)
def test_valid_values(name: str, text: str, value: object) -> None:
    assert getattr(read_settings({f"INVITE_{name}": text}), name.lower()) == value


@pytest.mark.parametrize(("name", "text"), BAD)
def test_invalid_values_name_variable_and_allowed_values(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_settings({f"INVITE_{name}": text})
    allowed = Settings.model_fields[name.lower()].description
    assert allowed
    assert str(refused.value) == f"INVITE_{name} must be {allowed}."


def test_all_invalid_values_are_reported_and_never_shown() -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_settings({"INVITE_SECRET_KEY": "hunter2", "INVITE_MAIL_PORT": "x"})
    assert str(refused.value).count("INVITE_") == 2
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(("setting", "pragma"), [("", 1), ("normal", 1), ("full", 2)])
def test_sqlite_syncs_to_disk_when_configured(tmp_path: Path, setting: str, pragma: int) -> None:
    environ = {**BASE, "INVITE_INSTANCE_PATH": str(tmp_path), "INVITE_SQLITE_SYNCHRONOUS": setting}
    app = create_app(environ, testing=True)
    with app.app_context():
        assert db.session().scalar(text("PRAGMA synchronous")) == pragma
    dispose(app)


def test_every_possible_error_is_described() -> None:
    free = {"mail_username", "mail_password", "instance_path"}
    assert {name for name, field in Settings.model_fields.items() if not field.description} == free


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("MAIL_SEVER", "MAIL_SERVER"),
        ("SECRETKEY", "SECRET_KEY"),
        ("RATE_LIMIT", "RATE_LIMITS"),
        ("EXTERN_URL", "EXTERNAL_URL"),
    ],
)
def test_misspelled_variable_prevents_start_with_a_suggestion(typed: str, meant: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_settings({f"INVITE_{typed}": "hunter2", "INVITE_MAIL_TIMEOUT": "2"})
    assert str(refused.value) == f"INVITE_{typed} is no setting; INVITE_{meant} is."


def test_unrelated_variable_is_only_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Kubernetes sets such variables for a service that is called 'invite'."""
    theirs = {"INVITE_SERVICE_HOST": "10.0.0.1", "INVITE_PORT": "tcp://10.0.0.1:80", "INVITE_EMPTY": " "}
    dispose(create_app({**theirs, "INVITE_INSTANCE_PATH": str(tmp_path)}, testing=True))
    printed = capsys.readouterr().err
    assert "unknown_settings" in printed
    assert "['INVITE_PORT', 'INVITE_SERVICE_HOST']" in printed
    assert "10.0.0.1" not in printed


def test_starttls_and_tls_exclude_each_other() -> None:
    with pytest.raises(ConfigurationError, match="Only one of"):
        read_settings({"INVITE_MAIL_USE_TLS": "true", "INVITE_MAIL_USE_SSL": "true"})


def test_database_url_is_a_fallback_and_named() -> None:
    ours, theirs = {"INVITE_DATABASE_URL": "sqlite:////a"}, {"DATABASE_URL": "sqlite:////b"}
    assert read_settings(theirs).database_url == "sqlite:////b"
    assert read_settings(ours | theirs).database_url == "sqlite:////a"
    with pytest.raises(ConfigurationError, match=r"^DATABASE_URL must be"):
        read_settings({"DATABASE_URL": "mysql://a/b"})


def test_dotenv_is_read_and_environment_takes_precedence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("INVITE_MAIL_PORT=1025\nINVITE_MAIL_DELIVERY=queued\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INVITE_MAIL_PORT", "2025")
    settings = read_settings(None)
    assert (settings.mail_port, settings.mail_delivery) == (2025, "queued")


class TestStart:
    """An invalid setting stops the start with one line, in any server."""

    @pytest.mark.parametrize(
        "command", [("run",), ("run", "--debug"), ("org", "list"), ("db", "current")], ids=" ".join
    )
    def test_flask(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        settings = {"INVITE_MAIL_PORT": "x", "INVITE_INSTANCE_PATH": str(tmp_path)}
        done = run_command(*command, environ=settings)
        line = "invite_app cannot start. INVITE_MAIL_PORT must be a port from 1 to 65535.\n"
        assert (done.returncode, done.stderr) == (1, line)

    @on_sqlite
    def test_gunicorn(self, start_process: Any, environ: dict[str, str]) -> None:
        with pytest.raises(RuntimeError) as failed:
            start_process("gunicorn", workers=1, INVITE_MAIL_PORT="x")
        assert "invite_app cannot start. INVITE_MAIL_PORT must be a port" in str(failed.value)
        assert "Traceback" not in str(failed.value)

    def test_postgresql_requires_a_configured_secret(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="INVITE_SECRET_KEY is missing"):
            create_app({"INVITE_DATABASE_URL": "postgres://a/b", "INVITE_INSTANCE_PATH": str(tmp_path)})

    def test_instance_folder_must_be_creatable(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(ConfigurationError, match="INVITE_INSTANCE_PATH must be a folder"):
            create_app({"INVITE_INSTANCE_PATH": str(tmp_path / "file" / "folder")})


class TestStoredSecret:
    def test_is_created_once_and_is_private(self, tmp_path: Path) -> None:
        first, second = (_secret_of(str(tmp_path)) for _ in range(2))
        file = tmp_path / "secret_key"
        assert first == second == file.read_text()
        assert len(first) == 64
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_empty_file_is_no_secret(self, tmp_path: Path) -> None:
        (tmp_path / "secret_key").touch()
        assert len(_secret_of(str(tmp_path))) == 64

    def test_simultaneous_processes_agree(self, tmp_path: Path) -> None:
        with multiprocessing.get_context("spawn").Pool(4) as pool:
            secrets = pool.map(_secret_of, [str(tmp_path)] * 8)
        assert len(set(secrets)) == 1


def _secret_of(folder: str) -> str:
    app = create_app({"INVITE_INSTANCE_PATH": folder}, testing=True)
    dispose(app)
    return str(app.config["SECRET_KEY"])


class TestRotation:
    @pytest.fixture
    def before(self, make_app: Callable[..., Flask]) -> Flask:
        return _with_form(make_app(INVITE_SECRET_KEY=OLD))

    @pytest.fixture
    def after(self, make_app: Callable[..., Flask]) -> Flask:
        return _with_form(make_app(INVITE_SECRET_KEY=NEW, INVITE_SECRET_KEY_FALLBACKS=OLD))

    def test_links_stay_valid(self, before: Flask, after: Flask, make_app: Callable[..., Flask]) -> None:
        with before.app_context():
            token, setup = token_of(invite(make_organization())), tokens.setup_token()
        with after.app_context():
            assert invitations.open_link(token).state == "pending"
            assert tokens.is_setup_token(setup)
            assert tokens.setup_token() != setup
        with make_app(INVITE_SECRET_KEY=NEW).app_context(), pytest.raises(InvalidLink):
            invitations.open_link(token)

    @on_sqlite
    def test_sessions_and_rendered_forms_stay_valid(self, before: Flask, after: Flask) -> None:
        old, new = before.test_client(), after.test_client()
        token = re.search(r"token=(\S+)", old.get("/form").text)
        assert token
        new.set_cookie("session", old.get_cookie("session").value)  # type: ignore[union-attr]  # it was just set
        assert new.post("/form", data={"csrf_token": token[1]}).text == "known"
        assert new.post("/form", data={"csrf_token": token[1] + "x"}).status_code == 400


def _with_form(app: Flask) -> Flask:
    @app.get("/form")
    def form() -> str:
        session["who"] = "known"
        return render_template_string("token={{ csrf_token() }}")

    @app.post("/form")
    def post() -> str:
        return str(session.get("who"))

    return app


def test_settings_of_the_tests_are_valid() -> None:
    assert read_settings(BASE).outbox_worker == "external"
