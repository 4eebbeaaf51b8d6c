"""Modules that a server imports only when needed, for a fast start and small workers.

Each of these takes a noticeable part of the start. If one fails, some module imports it at its top: `python -X
importtime -c 'import app'` shows which.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask, url_for

from tests.support.databases import BASE, on_sqlite

# Module -> the code that imports it when needed.
NEEDED_LATER = {
    "alembic": "migrations",
    "email_validator": "addresses",
    "flask_migrate": "migrations",
    "invite_app.cli.commands": "the command line",
    "limits": "rate limits in Redis",
    "mako": "migrations",
    "rapidfuzz": "guesses at what was mistyped",
    "redis": "rate limits in Redis",
    "sqlalchemy.dialects.postgresql": "PostgreSQL",
    "zxcvbn_rs_py": "choosing a password",
}

SCRIPT = """
import sys
import app
{then}
print(*sys.modules)
"""
ASK = "assert app.app.test_client().get('/healthz').status_code == 200"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a folder with a migrated SQLite database."""
    folder = str(tmp_path_factory.mktemp("instance"))
    modules_of(folder, ASK)
    return folder


def modules_of(folder: str, then: str, **settings: str) -> set[str]:
    environ = {**BASE, "INVITE_INSTANCE_PATH": folder, **settings}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(then=then)], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("then", ["", ASK], ids=["starting", "the first answer"])
def test_server_starts_without_lazily_imported_modules(instance: str, then: str) -> None:
    loaded = modules_of(instance, then)
    assert "invite_app.services.invitations" in loaded  # its main purpose
    assert loaded & NEEDED_LATER.keys() == set()


def test_postgresql_server_starts_without_the_sqlite_dialect(instance: str) -> None:
    loaded = modules_of(instance, "", INVITE_DATABASE_URL="postgresql://127.0.0.1/any")
    assert "sqlalchemy.dialects.postgresql" in loaded
    assert "sqlalchemy.dialects.sqlite" not in loaded


def test_server_starts_before_mappers_are_configured(instance: str) -> None:
    """SQLAlchemy configures mappers on the first use of a model, which takes a noticeable part of the start."""
    then = ASK + "\nfrom invite_app.models import Role\nassert not Role.__mapper__.configured"
    assert "invite_app.models.roles" in modules_of(instance, then)


@on_sqlite
def test_url_builders_are_compiled_on_first_use(app: Flask) -> None:
    ours = [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]
    assert {Path(rule._build.__code__.co_filename).name for rule in ours} == {"flask_overrides.py"}
    with app.test_request_context():
        assert url_for("pages.sign_in") == "/sign-in"
        assert url_for("pages.sign_in", after="x") == "/sign-in?after=x"
