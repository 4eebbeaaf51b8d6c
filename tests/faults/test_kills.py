"""Killed processes, and many delivery processes at once."""

import os
import signal
import threading
from typing import Any

from sqlalchemy import text

from invite_app.extensions import db
from invite_app.worker.sender import LARGEST_BATCH
from tests.support.databases import on_postgres, on_sqlite
from tests.support.mail import wait_until

from .scene import COUNT, Record, Scene, children_of

STAGES: tuple[Any, ...] = ("connect", "mail", "data", "message")


@on_sqlite
def test_web_process_is_killed_at_each_stage(scene: Scene, record: Record) -> None:
    server = scene.serve(INVITE_MAIL_DELIVERY="immediate")
    for stage in STAGES:
        scene.smtp.hang(1, at=stage, times=1)
        kill_while_inviting(scene, server, f"{stage}@guest.example")
    scene.send_remaining()
    tally = scene.tally()
    assert (tally.answered, tally.duplicated) == (0, 0)
    record("web process killed at each of 4 moments of a send", tally)


@on_sqlite
def test_web_process_is_killed_before_its_commit(scene: Scene, record: Record) -> None:
    server = scene.serve(INVITE_MAIL_DELIVERY="immediate")
    scene.smtp.hang(1, at="message", times=1)
    inviting = threading.Thread(target=scene.invite, args=(server, "ana@guest.example"))
    inviting.start()
    wait_until(lambda: scene.smtp.open_connections)
    with scene.app.app_context(), db.engine.connect() as other:
        other.exec_driver_sql("COMMIT")
        other.exec_driver_sql("BEGIN IMMEDIATE")  # blocks its commit
        scene.smtp.wait_for(1)
        kill_worker(server.pid)
        other.exec_driver_sql("ROLLBACK")
        other.exec_driver_sql("BEGIN")
    inviting.join()
    scene.send_remaining()
    tally = scene.tally()
    assert (tally.answered, tally.duplicated) == (0, 1)
    record("web process killed between the server's OK and its commit", tally)


def test_delivery_process_is_killed_while_sending(scene: Scene, record: Record) -> None:
    """Each kill may repeat messages that were sent and not yet committed, at most one batch."""
    scene.queue(*addresses("ana"))
    for part in (1, 2):
        process = scene.deliver()
        scene.smtp.wait_for(COUNT * part // 3, seconds=60)
        process.kill()
        scene.expire_leases()
    scene.deliver()
    scene.wait_until_sent(COUNT)
    tally = scene.tally()
    assert tally.duplicated <= 2 * LARGEST_BATCH
    with scene.app.app_context():
        kind = db.engine.dialect.name
    record(f"delivery process killed twice among {COUNT} messages ({kind})", tally)


@on_postgres
def test_many_delivery_processes_send_each_message_once(scene: Scene, record: Record) -> None:
    running = 0
    for count in (2, 4, 8):
        while running < count:
            scene.deliver()
            running += 1
        with scene.app.app_context():
            wait_until(lambda: connections_of_others() >= running, seconds=60)  # noqa: B023
        scene.queue(*addresses(f"ana-{count}-"))
        scene.wait_until_sent(len(scene.statuses))
    tally = scene.tally()
    assert tally.duplicated == 0
    record("2, then 4, then 8 delivery processes at once", tally)


def addresses(prefix: str) -> list[str]:
    return [f"{prefix}{number}@guest.example" for number in range(COUNT)]


def connections_of_others() -> int:
    with db.engine.connect() as asking:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        return int(asking.execute(text(f"SELECT count(DISTINCT client_port) {others}")).scalar() or 0)


def kill_while_inviting(scene: Scene, server: Any, email: str) -> None:
    before = scene.smtp.connections
    inviting = threading.Thread(target=scene.invite, args=(server, email))
    inviting.start()
    wait_until(lambda: scene.smtp.connections > before)
    threading.Event().wait(0.1)  # until the server hangs
    kill_worker(server.pid)
    inviting.join()
    assert scene.statuses[email] == 0


def kill_worker(master: int) -> None:
    (worker,) = children_of(master)
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: children_of(master) not in ([], [worker]))
