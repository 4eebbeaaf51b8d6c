"""Backups of both databases, taken and restored as documented."""

import shutil
import sqlite3
import stat
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from invite_app.db import session
from invite_app.models import Invitation
from invite_app.services import invitations, members
from invite_app.worker.sender import OutboxSender
from tests.support.databases import Databases, dispose, on_postgres, on_sqlite
from tests.support.factories import Acme, expire, invite, make_organization, token_of
from tests.support.mail import SmtpServer
from tests.support.postgres import client_program
from tests.support.server import run_command


@dataclass
class Backup:
    """A backup of one database, taken and restored with the operator's commands."""

    kind: str
    file: Path
    environ: dict[str, str]
    databases: Databases

    @property
    def url(self) -> str:
        return self.environ["INVITE_DATABASE_URL"]

    def take(self) -> None:
        if self.kind == "sqlite":
            taken = run_command("backup", str(self.file), environ=self.environ)
            assert taken.returncode == 0, taken.stderr
        else:
            run("pg_dump", "--format=custom", "--no-owner", f"--file={self.file}", self.url)

    def restore(self) -> None:
        """Replace the database, which no process has open."""
        if self.kind == "sqlite":
            database = Path(self.url.removeprefix("sqlite:///"))
            for ending in ("", "-wal", "-shm"):
                Path(f"{database}{ending}").unlink(missing_ok=True)
            shutil.copyfile(self.file, database)
        else:
            name = self.url.rpartition("/")[2]
            self.databases.postgres().drop(name)
            self.databases.postgres().create(name)
            run(
                "pg_restore",
                "--no-owner",
                "--exit-on-error",
                "--single-transaction",
                f"--dbname={self.url}",
                self.file,
            )


def run(program: str, *arguments: Any) -> None:
    done = subprocess.run(
        [client_program(program), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def backup(
    database_kind: str, databases: Databases, environ: dict[str, str], smtp: SmtpServer, tmp_path: Path
) -> Backup:
    settings = {**environ, **smtp.environ, "INVITE_MAIL_DELIVERY": "queued"}
    return Backup(database_kind, tmp_path / "backup.file", settings, databases)


def deliver(app: Flask) -> None:
    with app.app_context():
        while OutboxSender(app).run_once():
            pass


def test_restored_database_continues(backup: Backup, make_app: Callable[..., Flask], smtp: SmtpServer) -> None:
    first = make_app(**backup.environ)
    with first.app_context():
        acme = make_organization()
        tokens = {name: token_of(invite(acme, f"{name}@guest.example")) for name in ("queued", "revoked")}
    backup.take()
    with first.app_context():
        tokens["later"] = token_of(invite(acme, "later@guest.example"))
        invitations.revoke(acme.id, id_of("revoked"), by=acme.owner.actor)
        members.remove(acme.id, acme.member.id, by=acme.owner.actor)
    deliver(first)
    sent = {message.recipients[0]: message.message["Message-ID"] for message in smtp.messages}
    assert set(sent) & {f"{name}@guest.example" for name in tokens} == {"queued@guest.example", "later@guest.example"}
    dispose(first)
    smtp.clear()

    backup.restore()
    second = make_app(**backup.environ)
    client = second.test_client()
    assert client.get("/readyz").json == {"status": "ok"}
    statuses = {name: client.get(f"/invitations/{token}").status_code for name, token in tokens.items()}
    assert statuses == {"queued": 200, "revoked": 200, "later": 404}  # the revocation is undone
    deliver(second)
    assert {message.recipients[0]: message.message["Message-ID"] for message in smtp.messages}.items() >= {
        ("queued@guest.example", sent["queued@guest.example"])  # sent twice, with equal ids
    }
    check_that_it_goes_on(second, acme)


def check_that_it_goes_on(app: Flask, acme: Acme) -> None:
    with app.app_context():
        assert members.get(acme.id, acme.member.id, by=acme.owner.actor).user_id == acme.member.id  # a member again
        invite(acme, "later@guest.example")
        expire(invite(acme, "new@guest.example"))
        page = invitations.list_page(acme.id, by=acme.owner.actor, only=invitations.Filter(fragment="later"))
        assert [row.email for row in page.items] == ["later@guest.example"]
    deliver(app)


@on_sqlite
class TestBackupOfSqlite:
    def test_is_readable_by_its_owner_only(self, backup: Backup, app: Flask) -> None:
        backup.take()
        assert stat.S_IMODE(backup.file.stat().st_mode) == 0o600
        assert [path.name for path in backup.file.parent.iterdir() if "backup" in path.name] == ["backup.file"]

    def test_never_overwrites_a_file(self, backup: Backup, app: Flask) -> None:
        backup.file.write_text("precious")
        refused = run_command("backup", str(backup.file), environ=backup.environ)
        assert (refused.returncode, refused.stderr) == (1, f"Error: {backup.file} exists. Name a new file.\n")
        link = backup.file.with_name("link")
        link.symlink_to(backup.file.with_name("nothing"))
        assert run_command("backup", str(link), environ=backup.environ).returncode == 1
        assert backup.file.read_text() == "precious"

    def test_before_an_upgrade_migrates_nothing(self, backup: Backup, app: Flask) -> None:
        database = backup.url.removeprefix("sqlite:///")
        with sqlite3.connect(database) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '0006'")
        connection.close()
        backup.take()
        for file in (database, backup.file):
            with sqlite3.connect(file) as connection:
                assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0006",)
            connection.close()

    def test_of_a_missing_database_creates_no_file(self, backup: Backup) -> None:
        environ = backup.environ | {"INVITE_DATABASE_URL": f"sqlite:///{backup.file.parent}/none.sqlite"}
        refused = run_command("backup", str(backup.file), environ=environ)
        assert refused.returncode == 1
        assert "There is no database yet." in refused.stderr
        assert not backup.file.exists()
        assert not (backup.file.parent / "none.sqlite").exists()

    def test_of_a_damaged_database_creates_no_file(self, backup: Backup, app: Flask) -> None:
        Path(backup.url.removeprefix("sqlite:///")).write_bytes(b"no database at all" * 1000)
        refused = run_command("backup", str(backup.file), environ=backup.environ)
        assert refused.returncode == 1
        assert "There is no backup" in refused.stderr
        assert not backup.file.exists()

    def test_under_load_is_consistent(self, backup: Backup, app: Flask) -> None:
        with app.app_context():
            acme = make_organization()
        is_over = threading.Event()

        def load() -> None:
            number = 0
            while not is_over.is_set():
                with app.app_context():
                    invite(acme, f"ana{number}@guest.example")
                number += 1

        thread = threading.Thread(target=load)
        thread.start()
        try:
            for number in range(3):
                backup.file = backup.file.with_name(f"backup.{number}")
                backup.take()
                check_whole(backup.file)
        finally:
            is_over.set()
            thread.join()
        with app.app_context():
            assert session().scalars(select(Invitation.id)).all()


def check_whole(file: Path) -> None:
    """Check that every invitation has its message and is counted."""
    with sqlite3.connect(file) as connection:
        (pending,) = connection.execute("SELECT pending_count FROM organizations").fetchone()
        for table in ("invitations", "outbox_messages"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (pending,)
    connection.close()
    assert pending


@on_postgres
def test_command_names_pg_dump_and_no_password(backup: Backup) -> None:
    refused = run_command("backup", "my backup", environ=backup.environ)
    assert refused.returncode == 1
    command = "pg_dump --format=custom --no-owner --file='my backup' \"$INVITE_DATABASE_URL\""
    assert command in refused.stderr
    assert backup.url not in refused.stderr


def id_of(name: str) -> Any:
    return session().scalar(select(Invitation.id).where(Invitation.email == f"{name}@guest.example"))
