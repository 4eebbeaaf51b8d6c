"""Requests waiting for one organization or a slow mail server are bounded; all others are served."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from invite_app.bounds import Bound, bounds
from invite_app.errors import ServiceBusy
from invite_app.models import DeliveryState, OutboxMessage
from invite_app.services import imports
from invite_app.services.imports.parser import ImportLine
from invite_app.services.invitations import Draft, tracking
from tests.support.databases import on_postgres
from tests.support.factories import Acme, invite, make_organization, session, token_of
from tests.support.locking import locked_organization
from tests.support.mail import SmtpServer

Together = Callable[..., list[Any]]
HALF, QUARTER = 4, 2


class TestBound:
    def test_admits_up_to_its_limit(self) -> None:
        bound = Bound(2)
        with bound.place(), bound.place(), bound.place() as third:
            assert third is None

    def test_counts_each_key_separately(self) -> None:
        bound = Bound(1)
        with bound.place("acme") as first, bound.place("globex") as second:
            assert first
            assert second

    def test_admits_again_after_a_release(self) -> None:
        bound = Bound(1)
        with bound.place() as first:
            assert first
            first.leave()
            with bound.place() as second:
                assert second
        assert bound._rooms == {}

    def test_refuses_nobody_while_places_change_hands(self) -> None:
        bound, refused = Bound(2), []

        def work() -> None:
            with bound.place() as place:
                refused.append(place is None)
                time.sleep(0.2)

        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert refused == [False] * 16

    def test_refuses_immediately_while_nothing_moves(self) -> None:
        bound = Bound(1)
        with bound.place(), bound.place() as second:
            assert second is None
            began = time.monotonic()
            with bound.place() as third:
                assert third is None
            assert time.monotonic() - began < 0.5


def outcome(app: Flask, action: Callable[[], Any]) -> str:
    with app.app_context():
        try:
            action()
        except Exception as error:  # noqa: BLE001 - the test says which errors it expects
            return type(error).__name__
        return "done"


@pytest.fixture
def globex(app: Flask) -> Acme:
    with app.app_context():
        return make_organization("Globex")


class TestLockedOrganization:
    @pytest.fixture
    def app(self, make_app: Callable[..., Flask]) -> Flask:
        return make_app(INVITE_DB_LOCK_TIMEOUT="4")

    def test_holds_at_most_half_of_the_threads(self, app: Flask, acme: Acme, database_url: str) -> None:
        """The other requests are refused long before the lock's own timeout."""
        outcomes: list[tuple[str, float]] = []

        def wait(number: int) -> None:
            began = time.monotonic()
            result = outcome(app, lambda: invite(acme, f"ana{number}@guest.example"))
            outcomes.append((result, time.monotonic() - began))

        threads = [threading.Thread(target=wait, args=(number,)) for number in range(12)]
        with locked_organization(database_url, acme.id):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        early = [result for result, seconds in outcomes if seconds < 3]
        assert early == ["ServiceBusy"] * (12 - HALF)

    @on_postgres
    def test_holds_half_of_the_threads_behind_links(
        self, app: Flask, acme: Acme, database_url: str, together: Together
    ) -> None:
        with app.app_context():
            links = [token_of(invite(acme, f"ana{number}@guest.example")) for number in range(8)]
        began = time.monotonic()

        def look(token: str) -> float:
            with pytest.raises((ServiceBusy, OperationalError)):
                tracking.record_opened(token)
            return time.monotonic() - began

        with locked_organization(database_url, acme.id):
            waits = together(partial(look, token) for token in links)
        assert sum(seconds < 3 for seconds in waits) == len(links) - HALF

    def test_admits_everyone_again_afterwards(self, app: Flask, acme: Acme, together: Together) -> None:
        assert not any(
            isinstance(one, Exception)
            for one in together(partial(invite, acme, f"a{n}@a.example") for n in range(24))
        )


class TestLongLists:
    @pytest.fixture
    def taken(self, app: Flask, acme: Acme) -> Iterator[None]:
        """Keep one long list of the organization in progress."""
        with app.app_context(), bounds().list_of(str(acme.id), 10_000):
            yield

    @pytest.mark.parametrize("work", [imports.dry_run, imports.send_batch])
    def test_are_imported_one_at_a_time_per_organization(
        self, app: Flask, acme: Acme, taken: None, work: Callable[..., Any]
    ) -> None:
        drafts = [Draft(f"ana{number}@guest.example", "member") for number in range(101)]
        assert outcome(app, lambda: work(acme.id, drafts, by=acme.owner.actor)) == "ServiceBusy"
        assert outcome(app, lambda: work(acme.id, drafts[:100], by=acme.owner.actor)) == "done"

    def test_are_validated_one_at_a_time(self, app: Flask, acme: Acme, taken: None) -> None:
        lines = [ImportLine(f"ana{number}@guest.example", "", "", "", ()) for number in range(101)]
        assert (
            outcome(app, lambda: imports.create(acme.id, lines, by=acme.owner.actor, role="member")) == "ServiceBusy"
        )

    def test_of_another_organization_are_processed(self, app: Flask, globex: Acme, taken: None) -> None:
        drafts = [Draft(f"ana{number}@guest.example", "member") for number in range(101)]
        assert outcome(app, lambda: imports.send_batch(globex.id, drafts, by=globex.owner.actor)) == "done"

    def test_hold_at_most_a_quarter_of_the_threads(self, app: Flask) -> None:
        with ExitStack() as lists, app.app_context():
            for number in range(QUARTER):
                lists.enter_context(bounds().list_of(number, 10_000))
            with pytest.raises(ServiceBusy):
                lists.enter_context(bounds().list_of("another", 10_000))

    def test_are_refused_to_strangers_before_being_counted(self, app: Flask, acme: Acme, globex: Acme) -> None:
        drafts = [Draft(f"ana{number}@guest.example", "member") for number in range(101)]
        work = partial(imports.send_batch, acme.id, drafts, by=globex.owner.actor)
        with app.app_context(), bounds().list_of(str(acme.id), 10_000):
            assert outcome(app, work) == "OrganizationNotFound"


class TestHangingMailServer:
    @pytest.fixture
    def app(self, make_app: Callable[..., Flask], smtp: SmtpServer) -> Flask:
        smtp.hang(30, at="connect")
        return make_app(**smtp.environ, INVITE_MAIL_TIMEOUT="4")

    def test_holds_at_most_half_of_the_threads(self, app: Flask, acme: Acme, together: Together) -> None:
        """Messages over the bound are queued, and count as sent."""
        outcomes = together(partial(invite, acme, f"ana{number}@guest.example") for number in range(12))
        names = sorted(type(one).__name__ for one in outcomes)
        assert names == ["DeliveryFailed"] * HALF + ["Invitation"] * (12 - HALF)
        with app.app_context():
            messages = session().query(OutboxMessage).all()
            waiting = [(one.state, one.lease, one.attempts) for one in messages]
        assert waiting == [(DeliveryState.QUEUED, None, 0)] * (12 - HALF)
