"""Throughput of one delivery process, compared with plain smtplib over one open connection with the same messages.

python -m tests.benchmarks delivery [COUNT]      both databases, three rounds each
"""

import os
import resource
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from invite_app import create_app
from invite_app.db import session
from invite_app.mail import messages
from invite_app.mail.mime import compose
from invite_app.models import OutboxMessage
from invite_app.services import imports
from invite_app.services.delivery import queries
from invite_app.services.invitations import Draft
from tests.support.databases import BASE, KINDS, Databases, dispose
from tests.support.factories import make_organization
from tests.support.ports import free_port
from tests.support.postgres import make_shared_folder, stop_shared_server
from tests.support.server import BIN, ROOT, clean_environ

COUNT, ROUNDS = 2000, 3


@dataclass(frozen=True)
class Rate:
    """Messages per second at the mail server, and the sender's processor time for each."""

    per_second: float
    cpu_ms: float


def measure(databases: Databases, kind: str, count: int = COUNT, delay: float = 0.0) -> tuple[Rate, Rate]:
    """Run one round: the delivery process, and plain smtplib. The mail server responds after `delay` seconds."""
    with tempfile.TemporaryDirectory() as folder:
        url = databases.create(kind, Path(folder))
        try:
            return _compare(url, folder, count, delay)
        finally:
            databases.drop(url)


def _compare(url: str, folder: str, count: int, delay: float) -> tuple[Rate, Rate]:
    with _sink(delay) as first, _sink(delay) as second:
        environ = {
            **BASE,
            "INVITE_DATABASE_URL": url,
            "INVITE_INSTANCE_PATH": folder,
            "INVITE_MAIL_SERVER": "127.0.0.1",
            "INVITE_MAIL_PORT": str(first),
            "INVITE_MAIL_DEFAULT_SENDER": "invitations@ours.example",
            "INVITE_MAIL_DELIVERY": "queued",
        }
        sample = Path(folder) / "sample.eml"
        sample.write_bytes(_queue(environ, count))
        plain = [sys.executable, "-m", "tests.benchmarks.delivery", "plain", str(second), str(count), str(sample)]
        return (
            _rate(first, count, [str(BIN / "flask"), "outbox", "run"], environ),
            _rate(second, count, plain, environ),
        )


def _queue(environ: dict[str, str], count: int) -> bytes:
    """Queue this many invitations; return one of their messages as it is sent."""
    app = create_app(environ, testing=True)
    with app.app_context():
        acme = make_organization()
        rows = [Draft(email=f"ana{number}@guest.example", role="member", given_name="Ana") for number in range(count)]
        imports.send_batch(acme.id, rows, by=acme.owner.actor)
        row = session().scalars(queries.with_relations().where(OutboxMessage.kind == "invitation").limit(1)).one()
        content = compose(messages.invitation(row), ("", "invitations@ours.example"))
    dispose(app)
    return content


def _rate(port: int, count: int, command: list[str], environ: dict[str, str]) -> Rate:
    before = _children_cpu()
    process = subprocess.Popen(
        command, cwd=ROOT, env=clean_environ(environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    with smtplib.SMTP("127.0.0.1", port) as asking:
        while (seen := asking.docmd("STAT")[1].split()) and int(seen[0]) < count:
            time.sleep(0.2)
    process.terminate()
    process.wait()
    return Rate((count - 1) / float(seen[1]), (_children_cpu() - before) * 1000 / count)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def send_plainly(port: int, count: int, content: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", port) as line:
        for number in range(count):
            line.sendmail("invitations@ours.example", [f"ana{number}@guest.example"], content)


@contextmanager
def _sink(delay: float) -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.sink", str(port), str(delay)], cwd=ROOT)
    try:
        _wait_for(port)
        yield port
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            smtplib.SMTP("127.0.0.1", port).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError


def main(arguments: list[str]) -> None:
    count = int(arguments[0]) if arguments else COUNT
    folder = make_shared_folder()
    with ExitStack() as stack:
        stack.callback(stop_shared_server, folder)
        databases = Databases(folder, os.getpid())
        stack.callback(databases.close)
        for kind in KINDS:
            near = median(_show(kind, *measure(databases, kind, count)) for _ in range(ROUNDS))
            far = _show(f"{kind}, 1 ms away", *measure(databases, kind, count, 0.001))
            print(f"{kind}: {near:.2f} times plain smtplib; {far:.2f} times with the server 1 ms away")


def _show(what: str, ours: Rate, plain: Rate) -> float:
    ratio = ours.per_second / plain.per_second
    print(
        f"{what}: {ours.per_second:.0f}/s, {ours.cpu_ms:.2f} ms of CPU with the start; "
        f"plain {plain.per_second:.0f}/s, {plain.cpu_ms:.2f} ms; ratio {ratio:.2f}"
    )
    return ratio


if __name__ == "__main__":
    if sys.argv[1:2] == ["plain"]:
        send_plainly(int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]).read_bytes())
    else:
        main(sys.argv[1:])
