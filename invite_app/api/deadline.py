"""Probe queries with a time limit, for a database that does not respond."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from flask import Flask, current_app

SECONDS = 1.0
Found = TypeVar("Found")

_lock = threading.Lock()


def in_time(query: Callable[[], Found]) -> Found:
    """Run the query in its own thread and return its result. Raise TimeoutError after SECONDS.

    Later callers wait for the same run, so a database that hangs holds one thread and one connection per query.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's own way
    running: dict[Callable[[], Any], Future[Any]] = app.extensions.setdefault("invite_app.probes", {})
    with _lock:
        run = running.get(query)
        if run is None or run.done():
            run = running[query] = Future()
            threading.Thread(target=_run, args=(app, query, run), daemon=True, name="probe").start()
    found: Found = run.result(SECONDS)
    return found


def _run(app: Flask, query: Callable[[], Found], run: "Future[Found]") -> None:
    try:
        with app.app_context():
            found = query()
    except BaseException as error:  # noqa: BLE001 - the caller raises it
        run.set_exception(error)
    else:
        run.set_result(found)
