"""Migrations agree with the models, and upgrade and downgrade on both databases."""

from collections.abc import Iterator

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError

from invite_app import create_app
from invite_app.db import current_revision, is_current, migrate, newest_revision, session
from invite_app.extensions import db
from invite_app.models import Organization
from invite_app.models.search import is_managed
from invite_app.models.types import Base
from tests.support.databases import BASE, dispose
from tests.support.factories import configure, invite, make_api_key, make_organization, reread
from tests.support.server import run_command


@pytest.fixture
def empty_app(empty_database_url: str, tmp_path: object) -> Iterator[Flask]:
    environ = {**BASE, "INVITE_DATABASE_URL": empty_database_url, "INVITE_INSTANCE_PATH": str(tmp_path)}
    app = create_app(environ, testing=True)
    yield app
    dispose(app)


def tables() -> set[str]:
    names = inspect(db.engine).get_table_names()
    return {name for name in names if is_managed(name)} - {"alembic_version"}


def test_models_and_migrations_agree(app: Flask, app_context: None) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_managed})
        assert compare_metadata(context, Base.metadata) == []


def test_check_command_agrees(environ: dict[str, str]) -> None:
    checked = run_command("db", "check", environ=environ)
    assert checked.returncode == 0, checked.stderr
    assert "No new upgrade operations detected" in checked.stdout + checked.stderr


def test_unreachable_database_is_reported_in_one_line(environ: dict[str, str]) -> None:
    nowhere = environ | {"INVITE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    failed = run_command("db", "upgrade", environ=nowhere)
    assert failed.returncode == 1
    assert failed.stderr.startswith("Error: The database cannot be used: ")
    assert len(failed.stderr.splitlines()) == 1


def test_failing_migration_is_named(empty_app: Flask, empty_database_url: str, tmp_path: object) -> None:
    with empty_app.app_context(), db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE organizations (id INTEGER)"))
    there = {**BASE, "INVITE_DATABASE_URL": empty_database_url, "INVITE_INSTANCE_PATH": str(tmp_path)}
    failed = run_command("db", "upgrade", environ=there)
    assert failed.returncode == 1
    assert "already exists" in failed.stderr
    assert "0001_first_tables.py" in failed.stderr


def test_every_table_is_created_and_dropped(empty_app: Flask) -> None:
    with empty_app.app_context():
        assert not is_current()
        flask_migrate.upgrade()
        assert is_current()
        assert tables() == set(Base.metadata.tables)
        flask_migrate.downgrade(revision="base")
        assert (tables(), current_revision()) == (set(), None)
        flask_migrate.upgrade()
        assert tables() == set(Base.metadata.tables)


def test_downgrade_works_with_rows_in_the_tables(app: Flask, app_context: None) -> None:
    acme = make_organization()
    key = make_api_key(acme, "admin")
    invite(acme, workspace_ids=acme.workspaces, by=key.actor)
    session().remove()
    flask_migrate.downgrade(revision="base")
    assert tables() == set()
    flask_migrate.upgrade()
    assert session().scalars(select(Organization)).all() == []
    assert make_organization().id != acme.id


def test_invitations_outside_the_domains_are_marked(app: Flask, app_context: None) -> None:
    acme, globex = make_organization(), make_organization("Globex")
    outside, inside, elsewhere = invite(acme).id, invite(acme, "bo@acme.example").id, invite(globex).id
    session().remove()
    flask_migrate.downgrade(revision="0008")
    configure(acme, allowed_domains=["acme.test", "acme.example"])
    flask_migrate.upgrade()
    assert [reread(one).domain_not_allowed for one in (outside, inside, elsewhere)] == [True, False, False]
    assert [reread(one).needs_attention for one in (outside, inside)] == [True, False]


def test_there_is_one_linear_chain(app: Flask, app_context: None) -> None:
    scripts = ScriptDirectory.from_config(app.extensions["migrate"].migrate.get_config())
    assert scripts.get_heads() == [newest_revision()]
    assert len(scripts.get_bases()) == 1


def test_simultaneous_migrations_run_once(empty_app: Flask) -> None:
    migrate(empty_app)
    migrate(empty_app)
    with empty_app.app_context():
        assert is_current()


def test_readiness_names_the_command_when_migrations_are_missing(empty_app: Flask) -> None:
    client = empty_app.test_client()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "flask db upgrade" in answer.get_data(as_text=True)
    with empty_app.app_context():
        flask_migrate.upgrade()
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE organizations SET plan = 'gold'",
        "UPDATE invitations SET state = 'lost'",
        "UPDATE invitations SET email = 'ana@guest.example'",
        "UPDATE users SET email = 'owner@acme.example'",
        "UPDATE outbox_messages SET state = 'lost'",
        "UPDATE workspaces SET folded_name = 'same'",
        "UPDATE roles SET key = 'same'",
        "INSERT INTO installation (id, completed_at) VALUES (2, '2026-01-01 00:00:00+00:00')",
        "DELETE FROM roles WHERE key = 'owner'",
    ],
)
def test_database_refuses_what_services_never_do(app: Flask, app_context: None, statement: str) -> None:
    acme = make_organization()
    invite(acme, "ana@guest.example")
    invite(acme, "bo@guest.example")
    session().remove()
    with db.engine.connect() as connection, pytest.raises(IntegrityError):
        connection.execute(text(statement))
