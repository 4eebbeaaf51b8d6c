"""How gunicorn serves invite_app: `gunicorn` in this folder is enough. Its command line overrides this."""

import gc
import importlib
import logging
import os
import re
import shutil
import tempfile
from typing import Any

from gunicorn import glogging

wsgi_app = "app:app"

worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
timeout = 60
graceful_timeout = 30
keepalive = 15
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

    A worker then starts in a tenth of the processor time, also when it replaces one after `max_requests`, and shares
    memory with the others: after load two take 143 MiB instead of 159, four 213 instead of 284. A single one would
    share with nobody, and pay 8 MiB for the copy here. In return HUP reads settings again, but code only USR2 does.
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
    """What is there now stays: later collections need not look through it.

    They come after 10,000 new objects instead of 700, about every tenth request: that is 7 % of the processor time.
    """
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    gc.enable()


def on_exit(server: Any) -> None:
    """Remove that folder, unless another gunicorn has taken over (USR2), which counts on in it."""
    if not server.reexec_pid:
        shutil.rmtree(getattr(server, "metrics_folder", ""), ignore_errors=True)


# Whom to believe about X-Forwarded-* is decided in one place, by the app: INVITE_TRUSTED_PROXIES.
forwarded_allow_ips = ""

# What follows /invitations/ at the start of a path, and every part of a path that is as long as a token
# (the ids in paths have 36 characters).
SECRET_PART = re.compile(r"""(?:(?<=^/invitations/)|(?<=[\s"'(]/invitations/)|(?<=/)(?=[\w-]{40}))[^/\s?#"')]+""")
QUERY = re.compile(r"""(?<=/)([^\s"'?]*)\?[^\s"')]+""")


def redact(text: str) -> str:
    """The text without link tokens and without query strings."""
    return QUERY.sub(r"\1", SECRET_PART.sub("[redacted]", text))


class Redacting(logging.Filter):
    """Keeps requests that gunicorn quotes in a message or a traceback from showing their tokens."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True


class Logger(glogging.Logger):
    """An access log of paths: no query strings, no referrers, no link tokens."""

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
