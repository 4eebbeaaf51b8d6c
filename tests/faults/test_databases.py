"""Outages of the database, a full disk, and outages of Redis while people are invited."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from invite_app import create_app
from invite_app.db import session
from invite_app.models import AuditEvent, Invitation, OutboxMessage
from tests.support.databases import BASE, Databases, dispose, on_sqlite
from tests.support.mail import SmtpServer, wait_until
from tests.support.postgres import OwnPostgres, make_shared_folder
from tests.support.redis import RedisServer
from tests.support.server import ServerProcess, run_command

from .scene import Record, Scene

EACH, CLIENTS = 100, 2


def invite_for_a_while(scene: Scene, server: ServerProcess) -> list[threading.Thread]:
    """Invite from several threads until each had this many successful responses."""

    def go_on(client: int) -> None:
        left, number = EACH, 0
        while left and number < 50 * EACH:
            number += 1
            if scene.invite(server, f"ana{client}-{number}@guest.example") == 201:
                left -= 1
            else:
                threading.Event().wait(0.1)

    threads = [threading.Thread(target=go_on, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    return threads


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[OwnPostgres]:
    folder = make_shared_folder()
    server = OwnPostgres(folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


def test_postgres_restarts_under_load(
    own_postgres: OwnPostgres, smtp: SmtpServer, tmp_path: Path, record: Record
) -> None:
    url = own_postgres.server.create("faults")
    own_postgres.server.close()
    settings = {**BASE, **smtp.environ, "INVITE_DATABASE_URL": url, "INVITE_INSTANCE_PATH": str(tmp_path)}
    settings |= {"INVITE_MAIL_DELIVERY": "queued"}
    assert run_command("db", "upgrade", environ=settings).returncode == 0
    app = create_app(settings, testing=True)
    scene = Scene(app, settings, smtp)
    with scene.processes:
        delivering, server = scene.deliver(), scene.serve(workers=2)
        assert scene.invite(server, "first@guest.example") == 201
        smtp.wait_for(1)  # a process that finds no database at its start exits
        clients = invite_for_a_while(scene, server)
        wait_until(lambda: len(scene.statuses) > CLIENTS * EACH // 4, seconds=30)
        own_postgres.stop()
        dispose(app)
        wait_until(lambda: any(status >= 500 for status in list(scene.statuses.values())), seconds=30)
        own_postgres.start()
        for client in clients:
            client.join()
        good = [email for email, status in scene.statuses.items() if status == 201]
        wait_until(lambda: {mail.recipients[0] for mail in list(smtp.messages)} >= set(good), seconds=60)
        assert len(good) == 1 + CLIENTS * EACH
        assert delivering.stop() == 0
        scene.send_remaining()
        tally = scene.tally()
    dispose(app)
    assert tally.duplicated == 0
    record("PostgreSQL crashed and started again under load", tally)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as filling:
        while True:
            filling.write(b"x" * 1000)


def test_full_disk_leaves_no_partial_changes(
    databases: Databases, small_disk: Path, smtp: SmtpServer, record: Record
) -> None:
    url = databases.create("sqlite", small_disk)
    settings = {**BASE, **smtp.environ, "INVITE_DATABASE_URL": url, "INVITE_INSTANCE_PATH": str(small_disk)}
    settings |= {"INVITE_MAIL_DELIVERY": "queued"}
    app = create_app(settings, testing=True)
    scene = Scene(app, settings, smtp)
    with scene.processes:
        server = scene.serve()
        scene.invite(server, "first@guest.example")
        ballast = small_disk / "ballast"
        with pytest.raises(OSError, match="No space left"):
            fill(ballast)
        numbers = iter(range(1000))
        wait_until(lambda: scene.invite(server, f"ana{next(numbers)}@guest.example") >= 500, seconds=30)
        assert "disk" in server.output
        ballast.unlink()
        assert scene.invite(server, "last@guest.example") == 201
        with app.app_context():
            counted = [
                session().scalar(select(func.count()).select_from(model).where(*which))
                for model, which in (
                    (Invitation, ()),
                    (OutboxMessage, ()),
                    (AuditEvent, (AuditEvent.action == "invitation.sent",)),
                )
            ]
        assert len(set(counted)) == 1
        scene.send_remaining()
        record("no room on the disk of SQLite", scene.tally())
    dispose(app)


@on_sqlite
def test_redis_outage_is_not_noticed(scene: Scene, redis_server: RedisServer, record: Record) -> None:
    server = scene.serve(INVITE_REDIS_URL=redis_server.url, INVITE_RATE_LIMITS="on")
    assert scene.invite(server, "before@guest.example") == 201
    redis_server.stop()
    statuses = [scene.invite(server, f"without{number}@guest.example") for number in range(3)]
    redis_server.start()
    assert [*statuses, scene.invite(server, "after@guest.example")] == [201] * 4
    scene.send_remaining()
    record("Redis killed, and started again", scene.tally())
