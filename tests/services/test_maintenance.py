"""Retention: deletion of old rows, and several processes that delete at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from invite_app.db import session, transaction
from invite_app.models import (
    AccountLink,
    IdempotencyKey,
    Import,
    ImportRow,
    Invitation,
    OutboxMessage,
    Session,
)
from invite_app.models.types import now
from invite_app.services import maintenance
from tests.support.factories import Acme, expire, invite, make_organization

Make = Callable[[Acme, timedelta], Any]


@pytest.fixture
def acme(app: Flask) -> Acme:
    with app.app_context():
        return make_organization()


def sign_in(acme: Acme, age: timedelta) -> Session:
    return Session(id=f"session-{age}", user_id=acme.owner.id, created_at=now() - age)


def link(acme: Acme, age: timedelta) -> AccountLink:
    return AccountLink(user_id=acme.owner.id, purpose="reset", expires_at=now() - age)


def account_mail(acme: Acme, age: timedelta) -> OutboxMessage:
    return OutboxMessage(kind="reset", user_id=acme.owner.id, state="failed", created_at=now() - age)


def waiting_mail(acme: Acme, age: timedelta) -> OutboxMessage:
    return OutboxMessage(kind="reset", user_id=acme.owner.id, state="queued", created_at=now() - age)


def answer(acme: Acme, age: timedelta) -> IdempotencyKey:
    return IdempotencyKey(scope="s", key=f"{age}", body_hash="", status=201, answer="", created_at=now() - age)


def sheet(acme: Acme, age: timedelta) -> Import:
    return Import(organization_id=acme.id, role="member", created_at=now() - age)


def count(model: type[Any]) -> int:
    session().commit()
    return int(session().scalar(select(func.count()).select_from(model)) or 0)


@pytest.mark.parametrize(
    ("make", "model", "days"),
    [
        (sign_in, Session, 14),
        (link, AccountLink, 30),
        (account_mail, OutboxMessage, 30),
        (answer, IdempotencyKey, 1),
        (sheet, Import, 30),
    ],
)
def test_old_rows_are_deleted_and_others_kept(
    app: Flask, acme: Acme, make: Make, model: type[Any], days: int
) -> None:
    hour = timedelta(hours=1)
    with app.app_context():
        with transaction() as writing:
            writing.add_all([make(acme, timedelta(days=days) + hour), make(acme, timedelta(days=days) - hour)])
        maintenance.run()
        assert count(model) == 1
        maintenance.run()
        assert count(model) == 1


def test_waiting_message_is_never_deleted(app: Flask, acme: Acme) -> None:
    with app.app_context():
        with transaction() as writing:
            writing.add(waiting_mail(acme, timedelta(days=400)))
        maintenance.run()
        assert count(OutboxMessage) == 1


def test_message_is_kept_with_its_invitation(app: Flask, acme: Acme) -> None:
    with app.app_context():
        sent = invite(acme)
        with transaction() as writing:
            writing.get_one(OutboxMessage, sent.message.id).created_at = now() - timedelta(days=400)
        maintenance.run()
        assert count(OutboxMessage) == 1


def test_import_rows_are_deleted_with_the_import(app: Flask, acme: Acme) -> None:
    with app.app_context():
        with transaction() as writing:
            old = sheet(acme, timedelta(days=31))
            writing.add(old)
            writing.flush()
            writing.add(ImportRow(sheet_id=old.id, position=1, email="a", given_name="", family_name="", role=""))
        maintenance.run()
        assert count(ImportRow) == 0


def test_several_processes_delete_many_rows_together(app: Flask, acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "CHUNK", 10)
    with app.app_context():
        with transaction() as writing:
            writing.add_all(answer(acme, timedelta(days=2, seconds=number)) for number in range(95))
            writing.add_all(answer(acme, timedelta(seconds=number)) for number in range(5))
        expire(invite(acme))

    def sweep(_: int) -> None:
        with app.app_context():
            maintenance.run()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(sweep, range(4)))
    with app.app_context():
        assert count(IdempotencyKey) == 5
        assert session().scalar(select(Invitation.state)) == "expired"


def test_one_run_is_bounded(app: Flask, acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "CHUNK", 2)
    monkeypatch.setattr(maintenance, "MOST_CHUNKS", 3)
    with app.app_context():
        with transaction() as writing:
            writing.add_all(answer(acme, timedelta(days=2, seconds=number)) for number in range(10))
        maintenance.run()
        assert count(IdempotencyKey) == 4
