"""Prometheus metrics: requests, invitations, and the current state of the outbox.

Labels hold no address, id or token: routes are patterns, results are error names. The processes of one server share
files in the folder PROMETHEUS_MULTIPROC_DIR, which gunicorn.conf.py creates, and each process reports for all.
Delivery metrics are read from the database, so they include workers on other hosts.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from time import perf_counter

from filelock import BaseFileLock, FileLock, Timeout
from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from invite_app.errors import DomainError
from invite_app.services.delivery import OutboxStatus

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# Operations that send invitations, and the metric label of each.
INVITE_ENDPOINTS = {
    "deepset.invite_user_to_organization": "sent",
    "deepset.invite_user_to_workspace": "sent",
    "deepset.invite_users_in_bulk": "list",
    "clerk.create_invitation": "sent",
    "clerk.create_invitations": "list",
    "trieve.post_invitation": "sent",
    "almanac.invite_organization_member": "sent",
    "pages.invite": "sent",
    "pages.send_list": "list",
}


class _ProcessNumber:
    """The number under which a process counts: the lowest that no living process has.

    The next process goes on where a dead one stopped, so that there are never more files than processes at a time.
    Asked for the first time when this module is imported, it claims nothing yet: gunicorn imports it for processes
    that may run as somebody else, who could not open what it has made.
    """

    def __init__(self) -> None:
        self._owner: int | None = None
        self._number = 0
        self._lock: BaseFileLock | None = None

    def __call__(self) -> int:
        if self._owner is None:
            self._owner = 0
        elif self._owner != os.getpid():
            self._owner, self._number = os.getpid(), self._claim()
        return self._number

    def _claim(self) -> int:
        for number in count():
            lock = FileLock(_folder() / f"{number}.lock", thread_local=False)
            with suppress(Timeout):
                lock.acquire(blocking=False)
                self._lock = lock  # it goes with the process
                return number
        raise AssertionError  # there are enough numbers


def _folder() -> Path:
    return Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])


IS_SHARED = "PROMETHEUS_MULTIPROC_DIR" in os.environ
if IS_SHARED:
    values.ValueClass = values.MultiProcessValue(_ProcessNumber())  # type: ignore[no-untyped-call]  # the package has types for some

_registry = CollectorRegistry()
REQUESTS = Counter(
    "invite_requests", "Requests by route, method and status.", ("route", "method", "status"), registry=_registry
)
SECONDS = Histogram(
    "invite_request_seconds", "Time to an answer.", ("route", "method"), buckets=BUCKETS, registry=_registry
)
INVITATIONS = Counter(
    "invite_invitations", "Tries to invite, by dialect and result.", ("dialect", "result"), registry=_registry
)


def register(app: Flask) -> None:
    """Count every request; to be registered before anything that may answer one."""
    if IS_SHARED:
        _folder().mkdir(parents=True, exist_ok=True)
    app.before_request(_begin)
    app.after_request(_count)


def record_error(error: Exception) -> None:
    """Remember for the count what stood in the way of the present request."""
    if isinstance(error, DomainError):
        g.refusal = type(error).__name__


def render(outbox: OutboxStatus | None) -> bytes:
    """Everything that is known. Without an outbox the database could not be asked."""
    registry = _registry
    if IS_SHARED:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # likewise
    moment = CollectorRegistry()
    moment.register(_Outbox(outbox))
    return generate_latest(registry) + generate_latest(moment)


def _begin() -> None:
    g.began = perf_counter()


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule is not None else "none"
    method = request.method if request.method in METHODS else "other"
    _requests(route, method, response.status_code).inc()
    if (began := g.get("began")) is not None:
        _seconds(route, method).observe(perf_counter() - began)
    if request.endpoint in INVITE_ENDPOINTS and request.method == "POST":
        is_done = response.status_code < 400
        result = INVITE_ENDPOINTS[request.endpoint] if is_done else g.get("refusal", "malformed")
        INVITATIONS.labels(request.endpoint.partition(".")[0], result).inc()
    return response


@cache
def _requests(*labels: str | int) -> Counter:
    return REQUESTS.labels(*labels)


@cache
def _seconds(*labels: str) -> Histogram:
    return SECONDS.labels(*labels)


class _Outbox(Collector):
    def __init__(self, status: OutboxStatus | None) -> None:
        self._status = status

    def collect(self) -> Iterator[GaugeMetricFamily]:
        status = self._status
        yield GaugeMetricFamily("invite_database_up", "Whether the database answers.", status is not None)
        if status is None:
            return
        yield GaugeMetricFamily("invite_outbox_messages", "Messages that wait to be sent.", status.queued)
        yield GaugeMetricFamily("invite_outbox_held", "Messages held back: nobody could accept them.", status.held)
        yield GaugeMetricFamily("invite_outbox_due", "Those of them that could be sent now.", status.due)
        yield GaugeMetricFamily(
            "invite_outbox_oldest_seconds",
            "How long the oldest due message has waited.",
            status.oldest_due_seconds or 0,
        )
        yield _delivered(status)
        yield GaugeMetricFamily("invite_outbox_given_up", "Messages that failed and were not retried.", status.failed)
        if (age := status.heartbeat_seconds) is not None:
            yield GaugeMetricFamily("invite_delivery_heartbeat_age_seconds", "Time since delivery was at work.", age)


def _delivered(status: OutboxStatus) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "invite_deliveries_last_hour", "What became of messages, by whichever process.", labels=("result",)
    )
    family.add_metric(("sent",), status.sent_last_hour)
    family.add_metric(("failed",), status.failed_last_hour)
    return family
