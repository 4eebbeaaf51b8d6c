"""Sending what is in the outbox: the loop, and the thread that runs it inside a serving process."""

import atexit
import threading
import time

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from . import db
from .courier import Courier
from .extensions import db as database
from .services import sweeps

IDLE_SECONDS = 1.0
SWEEP_SECONDS = 60.0

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
                prepare_embedded(app)
                _start_thread(app)
                is_ready.set()


def prepare_embedded(app: Flask) -> None:
    """Migrate the embedded database; PostgreSQL is the operator's to migrate (`flask db upgrade`)."""
    with app.app_context():
        embedded = db.is_embedded(database.engine)
    if embedded and not app.testing:
        db.migrate(app)


def run(app: Flask, stop: threading.Event) -> None:
    """Send due messages until told to stop; a database that is away for a while is waited for."""
    courier, is_away, next_sweep = Courier(app), False, 0.0
    while not stop.is_set():
        claimed = 0
        try:
            with app.app_context():
                if time.monotonic() >= next_sweep:
                    next_sweep = time.monotonic() + SWEEP_SECONDS
                    sweeps.run()
                claimed = courier.run_once(stop)
            is_away = False
        except SQLAlchemyError as error:
            if not is_away:
                log.warning("outbox_waits_for_the_database", error=type(error).__name__)
            is_away = True
        if not claimed:
            stop.wait(IDLE_SECONDS)
    courier.finish(app.config["MAIL_TIMEOUT"])


def _start_thread(app: Flask) -> None:
    if app.testing or app.config["OUTBOX_WORKER"] != "embedded" or not app.config["MAIL_SERVER"]:
        return
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(app, stop), daemon=True, name="outbox")
    thread.start()
    atexit.register(_finish, thread, stop, app.config["MAIL_TIMEOUT"])


def _finish(thread: threading.Thread, stop: threading.Event, seconds: float) -> None:
    """Let the message in flight come to its end, and give the rest of the batch back."""
    stop.set()
    thread.join(seconds)
