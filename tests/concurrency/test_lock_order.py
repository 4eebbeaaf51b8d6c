"""Transactions on the same rows wait for each other without deadlocks."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from invite_app import tokens
from invite_app.db import session, transaction
from invite_app.extensions import db as database
from invite_app.mail.transport import Receipt
from invite_app.models import AccountLink, OutboxMessage
from invite_app.services import accounts, delivery, organizations
from invite_app.services.accounts import Purpose, links
from invite_app.services.delivery import outcomes
from tests.support.databases import on_postgres
from tests.support.factories import PASSWORD, Acme, Person, invite, make_link, make_organization, make_person
from tests.support.locking import other_session

pytestmark = on_postgres
BulkAction = Callable[[], Any]
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
NEW = "another long password for tests"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(INVITE_MAIL_SERVER="127.0.0.1", INVITE_MAIL_DELIVERY="queued")


@pytest.fixture
def deadlocks(app: Flask, database_url: str) -> Iterator[Callable[[], int]]:
    """Count the deadlocks that the database has resolved since the test began."""
    with other_session(database_url) as watching:
        watching.autocommit = True

        def count() -> int:
            row = watching.execute(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            ).fetchone()
            assert row
            return int(row[0])

        before = count()
        yield lambda: count() - before


@contextmanager
def paused_before(app: Flask, sql: str) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Pause the first thread that is about to execute such a statement: (is there, may go on)."""
    is_there, may_go_on = threading.Event(), threading.Event()

    def pause(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(sql) and not is_there.is_set():
            is_there.set()
            assert may_go_on.wait(20)

    with app.app_context():
        engine = database.engine
    event.listen(engine, "before_cursor_execute", pause)
    yield is_there, may_go_on
    event.remove(engine, "before_cursor_execute", pause)


def wait_until_one_waits(app: Flask) -> None:
    with app.app_context():
        for _ in range(200):
            if session().scalar(text(WAITING)):
                return
            session().rollback()
            time.sleep(0.02)


def outcome(app: Flask, action: BulkAction) -> str:
    with app.app_context():
        try:
            action()
        except Exception as error:  # noqa: BLE001 - the test says which errors it expects
            return f"{type(error).__name__}: {getattr(error, 'orig', '')}"
    return "done"


def crossed(app: Flask, first: BulkAction, *, before: str, second: BulkAction) -> list[str]:
    """Run two actions, the first paused before a statement until the second waits for it; return their results."""
    with ThreadPoolExecutor(2) as pool, paused_before(app, before) as (is_there, may_go_on):
        futures: list[Future[str]] = [pool.submit(outcome, app, first)]
        assert is_there.wait(10)
        futures.append(pool.submit(outcome, app, second))
        wait_until_one_waits(app)
        may_go_on.set()
        return [future.result(20) for future in futures]


@pytest.fixture
def person(app: Flask) -> Person:
    with app.app_context():
        return make_person("ana@guest.example")


@pytest.fixture
def address_token(app: Flask, person: Person) -> str:
    with app.app_context():
        accounts.request_email_change(person.id, "ana@new.example", password=PASSWORD)
        link = session().query(AccountLink).one()
        return tokens.account_token(link.id)


def test_new_address_and_new_password_both_succeed(app: Flask, person: Person, address_token: str) -> None:
    change = partial(accounts.change_password, person.id, old=PASSWORD, new=NEW, keep_session=None)
    prove = partial(accounts.confirm_email_change, address_token)
    assert crossed(app, prove, before="UPDATE users", second=change) == ["done", "done"]


def test_reset_and_new_password_both_succeed(app: Flask, person: Person) -> None:
    with app.app_context():
        token = make_link(person, Purpose.RESET)
    change = partial(accounts.change_password, person.id, old=PASSWORD, new=NEW, keep_session=None)
    reset = partial(accounts.reset_password, token, "a third long password for tests", device=accounts.Device())
    outcomes = crossed(app, reset, before="UPDATE users", second=change)
    assert outcomes == ["done", "InvalidCredentials: "]


def claimed(app: Flask) -> list[OutboxMessage]:
    with app.app_context():
        return delivery.claim(100)


def test_organization_deletion_waits_for_delivery(app: Flask, acme: Acme) -> None:
    with app.app_context():
        for number in range(3):
            invite(acme, f"ana{number}@guest.example")
    taken = [outcomes.sent(row, Receipt("mail.example", "250 OK")) for row in claimed(app)]
    assert len(taken) == 3
    write, delete = partial(delivery.save_results, taken), partial(organizations.delete, acme.id, by=acme.owner.actor)
    assert crossed(app, write, before="COPY invitation_events", second=delete) == ["done", "done"]


def test_delivery_waits_for_organization_deletion(app: Flask, acme: Acme) -> None:
    with app.app_context():
        for number in range(3):
            invite(acme, f"ana{number}@guest.example")
    taken = [outcomes.sent(row, Receipt("mail.example", "250 OK")) for row in reversed(claimed(app))]
    write, delete = partial(delivery.save_results, taken), partial(organizations.delete, acme.id, by=acme.owner.actor)
    assert crossed(app, delete, before="DELETE FROM organizations", second=write) == ["done", "done"]


def found_and_delete() -> None:
    acme = make_organization(f"House {time.monotonic_ns()}")
    for each in range(5):
        invite(acme, f"a{each}@guest.example")
    organizations.delete(acme.id, by=acme.owner.actor)


def deliver() -> None:
    delivery.save_results([outcomes.sent(row, Receipt("mail.example", "250 OK")) for row in delivery.claim(20)])


def change_address(person: Person) -> None:
    with transaction():
        user = accounts.get_by_email(person.email)
        link = links.add(user, Purpose.ADDRESS, email=person.email)
    accounts.confirm_email_change(tokens.account_token(link.id))


def end_links(person: Person) -> None:
    accounts.end_other_sessions(person.id, "none")


def test_mixed_load_has_no_deadlock(app: Flask, deadlocks: Callable[[], int]) -> None:
    """Organizations are deleted during delivery; addresses change while links expire."""
    with app.app_context():
        people = [make_person(f"p{number}@guest.example") for number in range(3)]
    actions: list[BulkAction] = [found_and_delete, found_and_delete, deliver, deliver]
    actions += [partial(action, person) for person in people for action in (change_address, end_links)]
    is_over = threading.Event()

    def go_on(action: BulkAction) -> set[str]:
        outcomes = set()
        while not is_over.is_set():
            outcomes.add(outcome(app, action))
        return outcomes

    with ThreadPoolExecutor(len(actions)) as pool:
        futures = [pool.submit(go_on, action) for action in actions]
        time.sleep(5)
        is_over.set()
        outcomes = set[str]().union(*(future.result() for future in futures))
    assert deadlocks() == 0
    assert outcomes <= {"done", "InvalidLink: "}
