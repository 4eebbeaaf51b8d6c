"""The outbox sender: one thread sends a batch while another saves the outcomes."""

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence

import structlog
from flask import Flask
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from invite_app.models import OutboxMessage
from invite_app.services import delivery
from invite_app.services.delivery import Outcome

# Messages not sent within this time of their claim are released, so that no outdated message is sent.
BATCH_SECONDS = 1.0
FIRST_BATCH, LARGEST_BATCH = 20, 200
# Outcomes are committed in groups of this many messages or seconds. After a crash, messages sent since the last
# commit are sent again with the same Message-ID; never more than one batch.
COMMIT_EVERY, GROUP_SECONDS = 50, 0.05
RETRY_SECONDS = 0.5

log = structlog.get_logger()


class OutboxSender:
    """Sends batches, and commits what became of some messages while the next are sent.

    Results that the database could not take are kept until it can.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._size = FIRST_BATCH
        self._unsaved_outcomes: list[Outcome] = []

    def run_once(self, stop: threading.Event | None = None) -> int:
        """Claim one batch and try to send it; how many messages were claimed. Needs an application context."""
        self._write()
        rows = delivery.claim(self._size)
        if rows:
            self._deliver(rows, stop or threading.Event())
        return len(rows)

    def finish(self, seconds: float) -> None:
        """Before the process ends: try for so long to write down what could not be written."""
        deadline = time.monotonic() + seconds
        while self._unsaved_outcomes and time.monotonic() < deadline:
            try:
                with self._app.app_context():
                    self._write()
            except SQLAlchemyError:
                time.sleep(RETRY_SECONDS)

    def _deliver(self, rows: Sequence[OutboxMessage], stop: threading.Event) -> None:
        trip = _ClaimSender(self._app, rows, stop)
        error: Exception | None = None
        for group in trip.groups():
            self._unsaved_outcomes += group
            try:
                if error is None:
                    self._write()
            except Exception as happened:  # noqa: BLE001 - raised below, once the batch has come to its end
                error = happened
                trip.cancel()
        self._size = trip.next_claim_size
        if error is not None:
            raise error

    def _write(self) -> None:
        if not self._unsaved_outcomes:
            return
        try:
            delivery.save_results(self._unsaved_outcomes)
        except (DataError, IntegrityError):  # no use in trying again; the messages will be sent again
            log.exception("outbox_results_lost", count=len(self._unsaved_outcomes))
        self._unsaved_outcomes = []


class _ClaimSender:
    """A thread that sends one batch."""

    def __init__(self, app: Flask, rows: Sequence[OutboxMessage], stop: threading.Event) -> None:
        self._app, self._rows, self._stop = app, rows, stop
        self._is_off = False
        self._results: deque[Outcome] = deque()
        self._enough = threading.Event()
        self._tried, self._began, self._ended = 0, time.monotonic(), 0.0
        self._thread = threading.Thread(target=self._send_all, daemon=True, name="outbox-sender")

    @property
    def next_claim_size(self) -> int:
        """Return the number of messages that this batch would have sent in half of the time limit."""
        per_second = self._tried / max(self._ended - self._began, 0.001)
        return max(1, min(LARGEST_BATCH, round(per_second * BATCH_SECONDS / 2)))

    def cancel(self) -> None:
        self._is_off = True

    def groups(self) -> Iterator[list[Outcome]]:
        """Send; what became of the messages, as many at a time as there are by then."""
        self._thread.start()
        is_over = False
        while not is_over:
            self._enough.wait(GROUP_SECONDS)
            self._enough.clear()
            is_over = self._ended > 0
            if group := [self._results.popleft() for _ in range(len(self._results))]:
                yield group
        self._thread.join()

    def _send_all(self) -> None:
        try:
            with self._app.app_context():
                for row in self._rows:
                    self._results.append(self._send(row))
                    if len(self._results) >= COMMIT_EVERY:
                        self._enough.set()
        except Exception:  # what was not tried is sent again when its lease runs out
            log.exception("outbox_batch_broken")
        finally:
            self._ended = time.monotonic()
            self._enough.set()

    def _send(self, row: OutboxMessage) -> Outcome:
        if self._is_off or self._stop.is_set() or time.monotonic() - self._began > BATCH_SECONDS:
            return delivery.released(row)
        self._tried += 1
        try:
            return delivery.attempt(row)
        except Exception:  # whatever is wrong with one message must not keep the others
            log.exception("outbox_message_broken", message_id=str(row.id))
            return delivery.postponed(row, "the message cannot be built; the server's log tells why")
