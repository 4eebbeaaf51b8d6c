"""Processor time of a page of a list with a million rows, compared with the same page with a thousand.

python -m tests.benchmarks lists [SIZE ...]      default: 1000 100000 1000000; both databases
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from invite_app import create_app
from invite_app.db import is_sqlite
from invite_app.extensions import db
from tests.support.databases import BASE, KINDS, Databases, dispose
from tests.support.postgres import make_shared_folder, stop_shared_server
from tests.support.visitor import Visitor

from . import crowds

SIZES = (1_000, 100_000, 1_000_000)
ROUNDS, PAGES_PER_ROUND = 7, 4
HOME, API = "/organizations/{id}", "/api/v1/organization/{id}"

MEMBERS = {
    "first": "",
    "role, common": "role=member",
    "role, rare": "role=rare",
    "workspace, common": "{workspace}={many}",
    "workspace, rare": "{workspace}={few}",
    "search, common": "q=example",
    "search, rare": "q=rarissi",
    "search, one name in twenty": "q=nora",
    "search, two characters": "q=no",
}
INVITATIONS = {
    "first": "",
    "expired": "state=expired",
    "accepted": "state=accepted",
    "search, common": "state=pending&q=example",
    "search, rare": "state=pending&q=rarissi",
}
AUDIT = {
    "first": "",
    "action, common": "action=invitation.",
    "action, rare": "action=member.",
    "search, common": "{target}=example",
    "search, rare": "{target}=rarissi",
}
LISTS = {"members": MEMBERS, "invitations": INVITATIONS, "audit": AUDIT}
HTML = {"workspace": "workspace", "target": "whom"}
JSON = {"workspace": "workspace_id", "target": "target"}


def main(argv: list[str]) -> None:
    sizes = [int(size) for size in argv] or list(SIZES)
    folder = make_shared_folder()
    with ExitStack() as stack:
        stack.callback(stop_shared_server, folder)
        databases = Databases(folder, os.getpid())
        stack.callback(databases.close)
        for kind in KINDS:
            with tempfile.TemporaryDirectory() as place:
                url = databases.create(kind, Path(place))
                measure(kind, {**BASE, "INVITE_DATABASE_URL": url, "INVITE_INSTANCE_PATH": place}, sizes)
                databases.drop(url)


def measure(kind: str, environ: Mapping[str, str], sizes: list[int]) -> None:
    app = create_app(environ, testing=True)
    with app.app_context():
        started = time.monotonic()
        found = crowds.make_all(sizes)
        crowds.analyze()
        print(f"{kind}: loaded {', '.join(f'{size:,}' for size in sizes)} in {time.monotonic() - started:.0f} s")
    pages = {crowd.size: dict(_pages(app, crowd)) for crowd in found}
    print(f"{kind:<44}" + "".join(f"{size:>11,}" for size in sizes) + "      ratio queries     kB")
    for name in pages[sizes[0]]:
        costs = _costs(app, [pages[size][name] for size in sizes])
        answer, queries = _look(app, pages[sizes[-1]][name])
        line = "".join(f"{cost * 1000:>8.2f} ms" for cost in costs)
        print(f"{name:<44}{line}{costs[-1] / costs[0]:>11.2f}{queries:>8}{len(answer) / 1000:>7.1f}", flush=True)
    dispose(app)


Page = Callable[[], bytes]


def _pages(app: Flask, crowd: crowds.Crowd) -> Iterator[tuple[str, Page]]:
    visitor = Visitor(app).sign_in(crowd.acme.owner)
    programs = app.test_client()
    places = {"id": crowd.acme.id, "many": crowd.acme.workspaces[0], "few": crowd.acme.workspaces[1]}
    for what, cases in LISTS.items():
        for case, query in cases.items():
            in_json = f"{API}/{what}?limit=50&{query}".format(**places, **JSON)
            in_html = f"{HOME}/{what}?{query}".format(**places, **HTML)
            yield f"JSON {what}: {case}", _get(programs, in_json, crowd.key.headers)
            yield f"HTML {what}: {case}", _get(visitor.client, in_html, {})
        deep = _deep_cursor(programs, f"{API}/{what}".format(**places), crowd)
        yield (
            f"JSON {what}: deep",
            _get(programs, f"{API}/{what}?limit=50&cursor={deep}".format(**places), crowd.key.headers),
        )
        yield f"HTML {what}: deep", _get(visitor.client, f"{HOME}/{what}?cursor={deep}".format(**places), {})
    yield "HTML overview", _get(visitor.client, f"{HOME}/".format(**places), {})
    yield "JSON statistics", _get(programs, f"{API}/statistics".format(**places), crowd.key.headers)


def _deep_cursor(client: FlaskClient, path: str, crowd: crowds.Crowd) -> str:
    """Return a cursor some hundred pages on, or half way through a small list."""
    cursor, pages = "", min(crowd.size // 200, 100)
    for _ in range(pages):
        answer = client.get(f"{path}?limit=100&cursor={cursor}", headers=crowd.key.headers)
        cursor = answer.get_json()["next_cursor"]
    return cursor


def _get(client: FlaskClient, path: str, headers: dict[str, str]) -> Page:
    def page() -> bytes:
        answer = client.get(path, headers=headers)
        assert answer.status_code == 200, (path, answer.status_code)
        return bytes(answer.data)

    return page


def _costs(app: Flask, pages: list[Page]) -> list[float]:
    """Return seconds of processor time per page of each size, alternating between sizes: the median of the rounds."""
    rounds: list[list[float]] = [[] for _ in pages]
    for number in range(ROUNDS + 1):
        for costs, page in zip(rounds, pages, strict=True):
            before = _processor_time(app)
            for _ in range(PAGES_PER_ROUND):
                page()
            if number:
                costs.append((_processor_time(app) - before) / PAGES_PER_ROUND)
    return [median(costs) for costs in rounds]


def _processor_time(app: Flask) -> float:
    """Return the processor time of this process and of the database's that serve it."""
    with app.app_context():
        if is_sqlite(db.engine):
            return time.process_time()
        with db.engine.connect() as connection:
            own = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            serving = connection.execute(text(own)).scalars().all()
    spent = [int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in serving]
    return time.process_time() + sum(spent) / 1e9


def _look(app: Flask, page: Page) -> tuple[bytes, int]:
    """Return the response, and its number of statements."""
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    answer = page()
    event.remove(engine, "before_cursor_execute", note)
    return answer, len(statements)


if __name__ == "__main__":
    main(sys.argv[1:])
