"""Sending what is in the outbox: the loop, and the thread that runs it inside a serving process."""

import atexit
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog
from flask import Flask
from sqlalchemy.exc import DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from invite_app import db
from invite_app.extensions import db as database
from invite_app.services import delivery, maintenance

from .sender import OutboxSender

IDLE_SECONDS = 1.0
SWEEP_SECONDS = 60.0
HEARTBEAT_SECONDS = 15.0
LONGEST_PAUSE = 30.0
# Errors that pass by themselves: a restart, a lock that took too long, a pool without connections.
DATABASE_IS_AWAY = (OperationalError, InterfaceError, DisconnectionError, PoolTimeoutError)

log = structlog.get_logger()


def register(app: Flask) -> None:
    """Have the first request migrate the embedded database and start the delivery thread; others wait for it."""
    first, is_ready = threading.Lock(), threading.Event()

    @app.before_request
    def prepare() -> None:
        if is_ready.is_set():
            return
        with first:
            if not is_ready.is_set():
                migrate_sqlite(app)
                _start_thread(app)
                is_ready.set()


def migrate_sqlite(app: Flask) -> None:
    """Migrate the embedded database; PostgreSQL is the operator's to migrate (`flask db upgrade`)."""
    with app.app_context():
        embedded = db.is_sqlite(database.engine)
    if embedded and not app.testing:
        db.migrate(app)


def run(app: Flask, stop: threading.Event) -> None:
    """Send due messages until `stop` is set. Errors are logged and retried."""
    courier, failures = OutboxSender(app), _Failures()
    sweep, beat = _Every(SWEEP_SECONDS, maintenance.run), _Every(HEARTBEAT_SECONDS, delivery.record_heartbeat)
    while not stop.is_set():
        try:
            with app.app_context():
                sweep.run_when_due()
                pause = 0.0 if courier.run_once(stop) else IDLE_SECONDS
                beat.run_when_due()
            failures.forget()
        except Exception as error:  # noqa: BLE001 - logged; the loop outlives everything, a MemoryError included
            pause = failures.note(error)
        stop.wait(pause)
    courier.finish(app.config["MAIL_TIMEOUT"])


class _Every:
    """A task that runs at most once in so many seconds, also when it fails."""

    def __init__(self, seconds: float, task: Callable[[], None]) -> None:
        self._seconds, self._task, self._next = seconds, task, 0.0

    def run_when_due(self) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._seconds
            self._task()


class _Failures:
    """The failures of the loop since it last worked: what is logged of them, and how long it pauses."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._pause, self._is_away = IDLE_SECONDS, False

    def note(self, error: Exception) -> float:
        """Log the error, and return the seconds until the next try. A missing database is logged once."""
        if isinstance(error, DATABASE_IS_AWAY):
            if not self._is_away:
                log.warning("outbox_waits_for_the_database", error=type(error).__name__)
            self._is_away = True
            return IDLE_SECONDS
        with suppress(Exception):  # without memory there may be no log either
            log.error("outbox_failed", exc_info=error)
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        return pause


def _start_thread(app: Flask) -> None:
    if app.testing or app.config["OUTBOX_WORKER"] != "embedded" or not app.config["MAIL_SERVER"]:
        return
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(app, stop), daemon=True, name="outbox")
    thread.start()
    atexit.register(_stop_thread, thread, stop, app.config["MAIL_TIMEOUT"])


def _stop_thread(thread: threading.Thread, stop: threading.Event, seconds: float) -> None:
    """Let the message in flight come to its end, and give the rest of the batch back."""
    stop.set()
    thread.join(seconds)
