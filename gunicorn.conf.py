"""Settings for gunicorn and waitress. Run `gunicorn` in this folder; its options override this file."""

import gc
import importlib
import logging
import os
import re
import shutil
import tempfile
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from gunicorn import glogging
from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ThreadedTaskDispatcher, WSGITask

wsgi_app = "app:app"

workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
timeout = 60
graceful_timeout = 30
keepalive = 15  # also how long a sender may pause
max_requests = 20_000
max_requests_jitter = 2_000

# Each process opens its own database connections and starts its own delivery thread; see import_once.
preload_app = False

# No garbage is collected while anything starts, which takes a sixth of that time and finds nothing: see when_ready.
gc.disable()

# No socket in the home folder of whoever starts it, shared by all that they start.
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Prepare what the processes have in common."""
    make_metrics_folder(server)
    if server.cfg.workers > 1 and not server.cfg.reload:
        import_once()


def make_metrics_folder(server: Any) -> None:
    """Make the folder where the processes count together for /metrics, unless there is one."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        server.metrics_folder = tempfile.mkdtemp(prefix="invite_app-metrics-")
        os.chown(server.metrics_folder, server.cfg.uid, server.cfg.gid)  # the processes may be somebody else's
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = server.metrics_folder


def import_once() -> None:
    """Import the code here, where it opens nothing and starts nothing, so that workers begin with it.

    A worker then starts faster, also when it replaces one after `max_requests`, and shares memory with the others. A
    single one would share with nobody. In return HUP reads settings again, but code only USR2 does.
    """
    importlib.import_module("invite_app")
    importlib.import_module("sqlalchemy.orm").configure_mappers()
    gc.freeze()  # a collection would write to what is shared, which copies it


def when_ready(_server: Any) -> None:
    gc.enable()


def post_fork(_server: Any, _worker: Any) -> None:
    """Collect no garbage while the worker imports the app: it takes a sixth of the start and finds nothing."""
    gc.disable()


def post_worker_init(_worker: Any) -> None:
    """Exclude all objects loaded so far from garbage collection, and collect less often to save processor time."""
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    gc.enable()


def on_exit(server: Any) -> None:
    """Remove that folder, unless another gunicorn has taken over (USR2), which counts on in it."""
    if not server.reexec_pid:
        shutil.rmtree(getattr(server, "metrics_folder", ""), ignore_errors=True)


# The largest body that any page takes, and some more, so that the app itself refuses what is too large for it.
LARGEST_BODY = 33 * 1024 * 1024
# Seconds that a stopping process leaves to requests on their way, as gunicorn's own threads do.
LINGER = 2


class Dispatcher(ThreadedTaskDispatcher):
    """The threads that answer requests, and one more for probes, which answer while all others are busy."""

    def __init__(self, threads: int, probes: frozenset[str]) -> None:
        super().__init__()
        self.set_thread_count(threads)
        self._paths, self._probes = probes, ThreadedTaskDispatcher()
        self._probes.set_thread_count(1)

    def add_task(self, task: HTTPChannel) -> None:
        if getattr(task.requests[0], "path", "") in self._paths:
            self._probes.add_task(task)
        else:
            super().add_task(task)


class BufferingWorker(Worker):
    """Serve with waitress under gunicorn: a thread is taken when a request has arrived completely."""

    def run(self) -> None:
        from invite_app.web.hosts import PROBES  # noqa: PLC0415 - a master with one worker imports no app

        channels: dict[int, Any] = {}
        HTTPChannel.task_class, Task.worker = Task, self
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a long queue is no news under load
        logging.getLogger("waitress").handlers = self.log.error_log.handlers
        logging.getLogger("waitress").addFilter(Redacting())
        create_server(
            self.wsgi,
            map=channels,
            _dispatcher=Dispatcher(self.cfg.threads, PROBES),
            sockets=[listener.sock for listener in self.sockets],
            backlog=self.cfg.backlog,
            connection_limit=self.cfg.worker_connections,
            channel_timeout=self.cfg.keepalive,
            cleanup_interval=5,
            max_request_header_size=32 * 1024,
            max_request_body_size=LARGEST_BODY,
            inbuf_overflow=64 * 1024,  # the rest of a body waits in a temporary file
            clear_untrusted_proxy_headers=False,  # see forwarded_allow_ips
            asyncore_use_poll=True,  # select() knows no file above 1023
            ident=None,
        )
        while self.alive and self.ppid == os.getppid():
            self.serve(channels, seconds=0.5)
        self.finish(channels)

    def serve(self, channels: dict[int, Any], *, seconds: float = 0.1) -> None:
        self.notify()
        wasyncore.loop(timeout=seconds, use_poll=True, map=channels, count=1)

    def finish(self, channels: dict[int, Any]) -> None:
        """Accept no more connections, and answer the requests that have arrived, or arrive in a moment."""
        for channel in channels.values():
            channel.accepting = False
        began = time.monotonic()
        while (waited := time.monotonic() - began) < self.cfg.graceful_timeout and any(
            channel.requests or channel.total_outbufs_len or waited < LINGER
            for channel in channels.values()
            if isinstance(channel, HTTPChannel)
        ):
            self.serve(channels)


worker_class = BufferingWorker


class Task(WSGITask):
    """A request that is counted for `max_requests` and written to gunicorn's access log."""

    worker: Any

    def service(self) -> None:
        self.worker.nr += 1
        if self.worker.nr >= self.worker.max_requests:
            self.worker.alive = False
        if not self.worker.alive:
            self.set_close_on_finish()
        try:
            super().service()
        finally:
            if self.complete:
                self.log()

    def log(self) -> None:
        self.worker.log.access(
            SimpleNamespace(status=self.status, headers=self.response_headers, sent=self.content_length),
            SimpleNamespace(headers=self.request.headers),
            {**self.get_environment(), "RAW_URI": self.request.request_uri},
            timedelta(seconds=time.time() - self.start_time),
        )


# Whom to believe about X-Forwarded-* is decided in one place, by the app: INVITE_TRUSTED_PROXIES.
forwarded_allow_ips = ""

# What follows /invitations/ at the start of a path, and every part of a path that is as long as a token
# (the ids in paths have 36 characters).
SECRET_PART = re.compile(r"""(?:(?<=^/invitations/)|(?<=[\s"'(]/invitations/)|(?<=/)(?=[\w-]{40}))[^/\s?#"')]+""")
QUERY = re.compile(r"""(?<=/)([^\s"'?]*)\?[^\s"')]+""")


def redact(text: str) -> str:
    """The text without link tokens and without query strings."""
    return QUERY.sub(r"\1", SECRET_PART.sub("[redacted]", text))


# What ends a line or moves the cursor, and how it is written instead; in an access line also what ends a part of it.
ESCAPES = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {0x2028: " ", 0x2029: " "}
QUOTED = ESCAPES | {ord('"'): '\\"', ord("\\"): "\\\\"}


class Redacting(logging.Filter):
    """Keeps requests that gunicorn quotes in a message or a traceback from showing tokens or starting lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()).translate(ESCAPES), ()
        if record.exc_info:
            lines = redact(logging.Formatter().formatException(record.exc_info)).split("\n")
            record.exc_text = "\n".join(f"  {line.translate(ESCAPES)}" for line in lines)
        return True


class Atoms(glogging.SafeAtoms):
    """The parts of an access line, escaped when one is used."""

    def __init__(self, atoms: dict[str, Any]) -> None:
        dict.__init__(self, atoms)

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        return value.translate(QUOTED) if isinstance(value, str) else value


class Logger(glogging.Logger):
    """An access log of paths: no query strings, no referrers, no link tokens."""

    atoms_wrapper_class = Atoms

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.addFilter(Redacting())

    def atoms(self, *args: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(*args)
        return atoms | {"U": redact(atoms["U"] or ""), "r": redact(atoms["r"] or ""), "q": "", "f": "-"}


logger_class = Logger
# With JSON logs the app itself writes an event for every request, which says more.
accesslog = None if os.environ.get("INVITE_LOG_FORMAT") == "json" else "-"
access_log_format = '%(h)s %(t)s "%(m)s %(U)s %(H)s" %(s)s %(B)s %(M)sms'
