"""Fixtures for all tests, built from tests/support.

`app`, `client`, `make_app` and everything built on them run a test twice, on SQLite and on PostgreSQL, unless it is
marked `@on_sqlite` or `@on_postgres` (tests.support.databases).
"""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings

from invite_app import create_app
from tests.support.browser import chromium, find_chromium, watched_page
from tests.support.compiled_cache import keep_compiled, share_compiled
from tests.support.databases import BASE, KINDS, Databases, dispose
from tests.support.folders import memory_folder
from tests.support.mail import SmtpServer
from tests.support.postgres import make_shared_folder, stop_shared_server
from tests.support.redis import RedisServer, find_redis
from tests.support.server import LiveServer, ServerProcess
from tests.support.tls import Authority

settings.register_profile("tests", deadline=None)
settings.load_profile("tests")

# --- one run, several worker processes ---


def pytest_configure(config: pytest.Config) -> None:
    gc.set_threshold(100_000, 10, 10)  # rarer garbage collection is faster
    if not hasattr(config, "workerinput"):
        place = memory_folder() or Path(tempfile.gettempdir())
        os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.tempdir = str(place)
        folder = make_shared_folder()
        os.environ["INVITE_TEST_FOLDER"] = str(folder)
        (folder / "temporary").mkdir()  # so that files of killed processes are deleted with the run
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder / "temporary")
        os.environ["INVITE_TEST_OWNER"] = str(os.getpid())


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        folder = Path(os.environ.pop("INVITE_TEST_FOLDER"))
        stop_shared_server(folder)
        shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_finish() -> None:
    gc.freeze()  # imported objects are no garbage; scanning them slows down every test


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "browser" in names:
            item.add_marker("browser")
        if "start_process" in names:
            item.add_marker("process")


# --- databases and apps ---


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    databases = Databases(Path(os.environ["INVITE_TEST_FOLDER"]), int(os.environ["INVITE_TEST_OWNER"]))
    yield databases
    databases.close()


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(databases: Databases, database_kind: str, tmp_path: Path) -> Iterator[str]:
    """Return the URL of a migrated database for this test."""
    url = databases.create(database_kind, tmp_path)
    yield url
    databases.drop(url)


@pytest.fixture
def empty_database_url(databases: Databases, database_kind: str, tmp_path: Path) -> Iterator[str]:
    """Return the URL of a database without tables, for tests of the migrations."""
    url = databases.create_empty(database_kind, tmp_path)
    yield url
    databases.drop(url)


@pytest.fixture
def environ(database_url: str, tmp_path: Path) -> dict[str, str]:
    """Return the INVITE_* settings of this test's apps and processes; a test may change them before."""
    return {**BASE, "INVITE_DATABASE_URL": database_url, "INVITE_INSTANCE_PATH": str(tmp_path)}


@pytest.fixture
def make_app(environ: dict[str, str]) -> Iterator[Callable[..., Flask]]:
    """Create apps on this test's database: `make_app(INVITE_MAIL_DELIVERY="queued")`."""
    apps: list[Flask] = []

    def make_app(**changes: str) -> Flask:
        apps.append(create_app({**environ, **changes}, testing=True))
        share_compiled(apps[-1])
        return apps[-1]

    yield make_app
    for app in apps:
        keep_compiled(app)
        dispose(app)


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def app_context(app: Flask) -> Iterator[None]:
    """Push an application context for tests of services. Not for use with `client`: its requests would share `g`."""
    with app.app_context():
        yield


# --- mail and Redis ---


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    """Start a mail server; `make_app(**smtp.environ)` sends through it."""
    with SmtpServer() as server:
        yield server


@pytest.fixture
def smtp_app(make_app: Callable[..., Flask], smtp: SmtpServer) -> Flask:
    return make_app(**smtp.environ)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted_authority(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Trust the tests' own certificate authority in this process."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


@pytest.fixture
def smtp_starttls(authority: Authority) -> Iterator[SmtpServer]:
    """Start a mail server that requires STARTTLS, then a login; trusted only with `trusted_authority`."""
    with SmtpServer(tls=authority.server_context(), login=("mailer", "mail password")) as server:
        yield server


@pytest.fixture
def smtp_tls(authority: Authority) -> Iterator[SmtpServer]:
    """Start a mail server that speaks TLS from the first byte, with a login."""
    with SmtpServer(tls=authority.server_context(), implicit_tls=True, login=("mailer", "mail password")) as server:
        yield server


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """Start Redis: `make_app(INVITE_REDIS_URL=redis_server.url, INVITE_RATE_LIMITS="on")`; `.stop()`, `.start()`."""
    program = find_redis()
    if program is None:
        pytest.skip("no Redis: install Debian's package 'redis-server', or Valkey")
    server = RedisServer(program).start()
    yield server
    server.stop()


# --- servers and browser ---


@pytest.fixture
def serve(make_app: Callable[..., Flask], request: pytest.FixtureRequest) -> Iterator[Callable[..., LiveServer]]:
    """Serve an app in threads: `serve(https=True, INVITE_MAIL_SERVER=...)`; `.url`, `.app`."""
    with ExitStack() as servers:

        def serve(*, https: bool = False, **changes: str) -> LiveServer:
            server = LiveServer(authority=request.getfixturevalue("authority") if https else None)
            servers.callback(server.stop)
            return server.start(make_app(INVITE_EXTERNAL_URL=server.url, **changes))

        yield serve


@pytest.fixture
def live_server(serve: Callable[..., LiveServer]) -> LiveServer:
    return serve()


@pytest.fixture
def start_process(environ: dict[str, str]) -> Iterator[Callable[..., ServerProcess]]:
    """Start a process as operators do: `start_process("gunicorn", "--threads", "4", workers=2, INVITE_X=...)`."""
    starters = {"flask run": ServerProcess.flask_run, "gunicorn": ServerProcess.gunicorn}
    local = {name: value for name, value in environ.items() if name != "INVITE_EXTERNAL_URL"}
    with ExitStack() as processes:

        def start_process(kind: str, *arguments: str, workers: int = 2, **changes: str) -> ServerProcess:
            options: dict[str, Any] = {"workers": workers} if kind == "gunicorn" else {}
            process = starters[kind]({**local, **changes}, *arguments, **options)
            processes.callback(process.close)
            return process.wait_until_up()

        yield start_process


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start Chromium once per module: its event loop must not run during tests that have one of their own."""
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium: install Debian's package 'chromium', or Google Chrome")
    with chromium(program) as browser:
        yield browser


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open pages with cookies of their own: `open_page(server, locale="de")`; see tests.support.browser."""
    with ExitStack() as pages:
        yield lambda server, **options: pages.enter_context(watched_page(browser, server.url, **options))


@pytest.fixture
def browser_page(open_page: Callable[..., Any], live_server: LiveServer) -> Any:
    """Open a page on `live_server`; the test fails if it misbehaves, except in `page.watch.allow(...)`."""
    return open_page(live_server)
