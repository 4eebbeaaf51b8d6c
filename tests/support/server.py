"""The app behind real sockets: in a thread of the test, or as processes that an operator starts."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from invite_app.config import Settings

from .ports import free_port
from .tls import Authority

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


class LiveServer:
    """Serves an app on a free port of 127.0.0.1, with threads. Its `url` is known before the app is created."""

    def __init__(self, *, authority: Authority | None = None) -> None:
        tls = authority.server_context() if authority else None
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", 0, _not_yet, threaded=True, request_handler=_Quiet, ssl_context=tls
        )
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"{'https' if authority else 'http'}://127.0.0.1:{self._server.server_port}"

    @property
    def app(self) -> Flask:
        assert isinstance(self._server.app, Flask)
        return self._server.app

    def start(self, app: Flask) -> Self:
        self._server.app = app
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class ServerProcess:
    """`flask run` or gunicorn in a process group of its own, without this process's settings."""

    def __init__(self, command: list[str], environ: Mapping[str, str], *, url: str, folder: Path = ROOT) -> None:
        self.url = url
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=clean_environ(environ),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @classmethod
    def flask_run(cls, environ: Mapping[str, str], *arguments: str) -> Self:
        port = free_port()
        return cls(
            [str(BIN / "flask"), "run", "--port", str(port), *arguments],
            {"INVITE_EXTERNAL_URL": f"http://127.0.0.1:{port}", **environ},
            url=f"http://127.0.0.1:{port}",
        )

    @classmethod
    def gunicorn(cls, environ: Mapping[str, str], *arguments: str, workers: int = 2) -> Self:
        port = free_port()
        return cls(
            [str(BIN / "gunicorn"), "--bind", f"127.0.0.1:{port}", "--workers", str(workers), *arguments],
            {"INVITE_EXTERNAL_URL": f"http://127.0.0.1:{port}", **environ},
            url=f"http://127.0.0.1:{port}",
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> str:
        """Return its output so far, standard error included."""
        return os.pread(self._output.fileno(), 10_000_000, 0).decode()

    def wait_until_up(self, path: str = "/healthz", *, seconds: float = 20) -> Self:
        deadline = time.monotonic() + seconds
        while not _answers(self.url + path):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"The server is not up; it printed:\n{self.output}")
            time.sleep(0.05)
        return self

    def wait(self, *, seconds: float = 20) -> int:
        """Return its exit status, once it has ended by itself."""
        return self._process.wait(timeout=seconds)

    def stop(self, *, seconds: float = 20) -> int:
        """Stop it as a service manager does; return its exit status."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(timeout=seconds)
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill it and its children without cleanup, as in a power failure."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        self.kill()
        self._output.close()


def run_command(*arguments: str, environ: Mapping[str, str], **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run `flask ...` to its end as an operator does; return its output."""
    command = [str(BIN / "flask"), *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=clean_environ(environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def clean_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with exactly the settings in `environ`, ignoring `.env` files."""
    ours = ("INVITE_", "FLASK_", "WERKZEUG_", "GUNICORN_", "DATABASE_URL", "WEB_CONCURRENCY", "FORWARDED_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    unset = {f"INVITE_{name.upper()}": "" for name in Settings.model_fields}
    return {**kept, "PYTHONUNBUFFERED": "1", **unset, "DATABASE_URL": "", **environ}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False


def _not_yet(_environ: Any, start_response: Any) -> list[bytes]:
    start_response("503 Service Unavailable", [])
    return []


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: the test knows its own requests."""
