"""Decisions made after waiting for the organization's lock use the rows as they are then."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Update, select, update

from invite_app.access import authorize
from invite_app.db import session, transaction
from invite_app.models import ApiKey, Invitation, Organization, Role, User
from invite_app.models.types import now
from invite_app.services import invitations
from invite_app.services.invitations import tracking
from tests.support.factories import Acme, Key, Person, invite, make_api_key, make_person, reread, token_of

Behind = Callable[[Update, Callable[[], Any], Callable[[], Any]], str]


@pytest.fixture
def behind(app: Flask) -> Behind:
    """Run an action that reads, then another change, then the rest of the action; return its outcome."""

    def behind(change: Update, read: Callable[[], Any], act: Callable[[], Any]) -> str:
        has_read, is_locked = threading.Event(), threading.Event()

        def action() -> str:
            with app.app_context():
                kept = read()
                has_read.set()
                assert is_locked.wait(10)
                try:
                    act()
                except Exception as error:  # noqa: BLE001 - the test says which error it expects
                    return type(error).__name__
                return f"done in spite of {kept}"

        with ThreadPoolExecutor(1) as pool, app.app_context():
            waiting = pool.submit(action)
            assert has_read.wait(10)
            with transaction() as writing:
                writing.execute(update(Organization).values(name="Locked"))
                writing.execute(change)
                is_locked.set()
                threading.Event().wait(0.3)  # until the other thread waits
            return waiting.result(10)

    return behind


@pytest.fixture
def key(app: Flask, acme: Acme) -> Key:
    with app.app_context():
        return make_api_key(acme)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda: update(ApiKey).values(revoked_at=now()), "Unauthenticated"),
        (lambda: update(Role).where(Role.key == "owner").values(permissions=[]), "PermissionDenied"),
        (lambda: update(Organization).values(plan="free"), "PlanUpgradeRequired"),
        (lambda: update(Organization).values(seat_limit=3), "SeatLimitReached"),
        (lambda: update(Organization).values(allowed_domains=["acme.example"]), "DomainNotAllowed"),
    ],
)
def test_key_invites_by_current_permissions_and_settings(
    acme: Acme, key: Key, behind: Behind, change: Callable[[], Update], expected: str
) -> None:
    def read() -> Any:
        roles = list(session().scalars(select(Role)))
        organization = session().get_one(Organization, acme.id)
        return authorize(key.actor, acme.id), invitations.list_page(acme.id, by=key.actor), roles, organization

    assert behind(change(), read, lambda: invite(acme, by=key.actor)) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda: update(Invitation).values(nonce=b"another"), "InvalidLink"),
        (lambda: update(Invitation).values(expires_at=now()), "InvitationClosed"),
        (lambda: update(Invitation).values(role_id=None), "RoleDeleted"),
        (lambda: update(Organization).values(allowed_domains=["acme.example"]), "DomainNotAllowed"),
        (lambda: update(Organization).values(seat_limit=3), "SeatLimitReached"),
        (lambda: update(Role).where(Role.key == "owner").values(permissions=[]), "InviterNotAllowed"),
        (
            lambda: update(User).where(User.email == "ana@guest.example").values(email="bo@guest.example"),
            "WrongAccount",
        ),
    ],
)
def test_invitee_joins_by_the_invitations_current_state(
    app: Flask, acme: Acme, behind: Behind, change: Callable[[], Update], expected: str
) -> None:
    with app.app_context():
        ana: Person = make_person("ana@guest.example")
        token = token_of(invite(acme, ana.email))

    def read() -> Any:
        return invitations.open_link(token), session().get_one(User, ana.id)

    assert behind(change(), read, lambda: invitations.accept_with_account(token, ana.id)) == expected


def test_tracking_event_overwrites_no_concurrent_change(app: Flask, acme: Acme, behind: Behind) -> None:
    with app.app_context():
        sent = invite(acme)
        token = token_of(sent)
    later = now() + timedelta(minutes=1)
    change = update(Invitation).values(updated_at=later, opened_count=5)
    behind(change, lambda: invitations.open_link(token), lambda: tracking.record_opened(token))
    with app.app_context():
        seen = reread(sent)
        assert (seen.updated_at, seen.opened_count) == (later, 6)
