"""Sending what is in the outbox: the loop, and the thread that runs it inside a serving process."""

import threading

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from . import db
from .extensions import db as database
from .services import delivery

BATCH = 20
IDLE_SECONDS = 1.0

log = structlog.get_logger()


def register(app: Flask) -> None:
    """Have the first request migrate the embedded database and start the delivery thread."""
    first = threading.Lock()

    @app.before_request
    def prepare() -> None:
        if first.acquire(blocking=False):
            prepare_embedded(app)
            if app.config["OUTBOX_WORKER"] == "embedded" and app.config["MAIL_SERVER"]:
                threading.Thread(target=run, args=(app,), daemon=True, name="outbox").start()


def prepare_embedded(app: Flask) -> None:
    """Migrate the embedded database; PostgreSQL is the operator's to migrate (`flask db upgrade`)."""
    with app.app_context():
        embedded = db.is_embedded(database.engine)
    if embedded and not app.testing:
        db.migrate(app)


def run(app: Flask, stop: threading.Event | None = None) -> None:
    """Send due messages until told to stop; a database that is away for a while is waited for."""
    stop = stop or threading.Event()
    while not stop.is_set():
        try:
            with app.app_context():
                sent = run_once(stop)
        except SQLAlchemyError as error:
            log.warning("outbox_database_unavailable", error=str(error.__class__.__name__))
            sent = 0
        if not sent:
            stop.wait(IDLE_SECONDS)


def run_once(stop: threading.Event | None = None) -> int:
    """Claim one batch and try to send it; how many messages were claimed. Needs an application context."""
    rows = delivery.claim(BATCH)
    for row in rows:
        if stop is not None and stop.is_set():
            delivery.release(row)
            continue
        taken = delivery.deliver(row)
        log.info("outbox_message", message_id=str(row.id), sent=taken, attempt=row.attempts + 1)
    return len(rows)
