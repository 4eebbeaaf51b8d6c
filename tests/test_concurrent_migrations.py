"""`flask db upgrade` by several processes at once, and processes of an older release on a newer database."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from invite_app.db import current_revision, is_current, lock_in_transaction, migration_lock, newest_revision
from invite_app.extensions import db
from tests.support.databases import BASE
from tests.support.factories import make_organization
from tests.support.server import BIN, ROOT, clean_environ, run_command

UPGRADE = [str(BIN / "flask"), "db", "upgrade"]


@pytest.fixture
def empty(empty_database_url: str, tmp_path: Path) -> dict[str, str]:
    """Return the settings of processes on a database without tables."""
    return {**BASE, "INVITE_DATABASE_URL": empty_database_url, "INVITE_INSTANCE_PATH": str(tmp_path)}


@pytest.fixture
def newer(app: Flask) -> str:
    """Return the migration of a newer release that the database is at."""
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    return "9999"


@pytest.mark.process
def test_four_upgrades_at_once_all_succeed(empty: dict[str, str]) -> None:
    environ = clean_environ(empty)
    processes = [
        subprocess.Popen(UPGRADE, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(4)
    ]
    output = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0], output
    assert newest_revision() in run_command("db", "current", environ=empty).stdout


@pytest.mark.process
def test_upgrade_waits_for_another(empty: dict[str, str], empty_database_url: str) -> None:
    engine = create_engine(empty_database_url.replace("postgresql://", "postgresql+psycopg://"))
    with migration_lock(engine), engine.begin() as other:
        lock_in_transaction(other)
        waiting = subprocess.Popen(UPGRADE, cwd=ROOT, env=clean_environ(empty), stderr=subprocess.DEVNULL)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=5)
    assert waiting.wait(timeout=60) == 0
    engine.dispose()


def test_commands_work_on_a_newer_database(newer: str, app: Flask, environ: dict[str, str]) -> None:
    with app.app_context():
        assert current_revision() == newer
        assert is_current()
    assert run_command("outbox", "status", environ=environ).returncode == 0


def test_process_stays_ready_after_newer_migrations(newer: str, make_app: Callable[..., Flask]) -> None:
    app = make_app()
    with app.app_context():
        make_organization()
    assert app.test_client().get("/readyz").status_code == 200


def test_older_release_upgrades_nothing(newer: str, environ: dict[str, str]) -> None:
    upgraded = run_command("db", "upgrade", environ=environ)
    assert upgraded.returncode == 0, upgraded.stderr
    assert f"migration {newer}, of a newer release" in upgraded.stderr
    assert run_command("db", "downgrade", environ=environ).returncode != 0
