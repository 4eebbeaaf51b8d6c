"""Password strength, and hashing outside of transactions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from flask import Flask
from sqlalchemy import event, select

from invite_app.db import session
from invite_app.errors import InvalidCredentials, WeakPassword
from invite_app.extensions import db
from invite_app.models import AccountLink, OutboxMessage
from invite_app.services import accounts, invitations, organizations
from invite_app.services.accounts import Device, Purpose, passwords
from tests.support.factories import (
    BY_OPERATOR,
    PASSWORD,
    Acme,
    invite,
    make_link,
    make_organization,
    make_person,
    token_of,
)

NEW, NOWHERE = "a phrase that nobody knows", Device()
OLIVIA = ("olivia.owner@northwind.example", "Olivia", "Owner", "Northwind Research")


@pytest.mark.parametrize(
    ("password", "about", "says"),
    [
        ("short", (), "Use at least 12 characters."),
        ("x" * 201, (), "Use at most 200 characters."),
        ("password1234", (), passwords.COMMON),
        ("P@ssw0rd1234", (), passwords.COMMON),
        ("qwertyuiop[]", (), passwords.WEAK),
        ("aaaaaaaaaaaaaa", (), passwords.WEAK),
        ("abcdefghijklmn", (), passwords.WEAK),
        ("trustno1trustno1", (), passwords.WEAK),
        ("northwind research", OLIVIA, passwords.CONTAINS_NAME),
        ("Olivia Owner 1", OLIVIA, passwords.CONTAINS_NAME),
        ("0livia.0wner!", OLIVIA, passwords.CONTAINS_NAME),
        ("\ud800" * 12, (), passwords.WEAK),
    ],
)
def test_weak_password_is_refused_with_advice(password: str, about: tuple[str, ...], says: str) -> None:
    with pytest.raises(WeakPassword) as raised:
        accounts.check_password_strength(password, about=about)
    assert says in str(raised.value)


@pytest.mark.parametrize(
    "password", [PASSWORD, NEW, "Olivia likes cold tomato soup", "kjB7-qqp2-Zm4x", "ночь улица фонарь аптека"]
)
def test_good_password_is_accepted(password: str) -> None:
    accounts.check_password_strength(password, about=OLIVIA)


def test_decoy_costs_the_same_as_any_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    verify = PasswordHasher.verify

    def note(self: PasswordHasher, stored: str, password: bytes) -> bool:
        checked.append(stored)
        return verify(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", note)
    assert not passwords.password_matches("anything", None)
    assert extract_parameters(checked[0]) == extract_parameters(accounts.hash_password("anything"))


def test_personal_words_are_refused_everywhere(acme: Acme) -> None:
    personal = "acme acme olivia"
    sent = invite(acme, "olivia.owner@guest.example")
    founding = organizations.NewOrganization("Acme Holdings")
    choices: tuple[Callable[[], Any], ...] = (
        lambda: accounts.change_password(acme.owner.id, old=PASSWORD, new=personal, keep_session=None),
        lambda: accounts.reset_password(make_link(acme.owner, Purpose.RESET), personal, device=NOWHERE),
        lambda: invitations.accept_with_new_account(
            token_of(sent), invitations.NewProfile("Olivia", "Owner", personal)
        ),
        lambda: organizations.create(
            founding, organizations.NewOwner("olivia@holdings.example", "Olivia", "Owner", personal), by=BY_OPERATOR
        ),
        lambda: accounts.create("acme@olivia.example", given_name="Olivia", family_name="Owner", password=personal),
    )
    for choose in choices:
        with pytest.raises(WeakPassword, match="Leave your name"):
            choose()


@contextmanager
def observed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Record, for each hash that is made or checked, whether a writing transaction was open."""
    seen: list[bool] = []
    made, checked = accounts.hash_password, passwords.password_matches

    def note(work: Callable[..., Any]) -> Callable[..., Any]:
        def ignore(*given: Any) -> Any:
            seen.append(bool(session().info.get("writing")))
            return work(*given)

        return ignore

    with monkeypatch.context() as patched:
        patched.setattr(passwords, "hash_password", note(made))
        patched.setattr(passwords, "password_matches", note(checked))
        yield seen


def test_no_transaction_is_open_while_hashing(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    sent, link = invite(acme), make_link(acme.owner, Purpose.RESET)
    founding, founder = (
        organizations.NewOrganization("New"),
        organizations.NewOwner("new@guest.example", "N", "Ew", PASSWORD),
    )
    actions: tuple[tuple[int, Callable[[], Any]], ...] = (
        (1, lambda: invitations.accept_with_new_account(token_of(sent), invitations.NewProfile("Ana", "Guest", NEW))),
        (1, lambda: accounts.reset_password(link, NEW, device=NOWHERE)),
        (2, lambda: accounts.change_password(acme.owner.id, old=NEW, new=PASSWORD, keep_session=None)),
        (1, lambda: accounts.request_email_change(acme.owner.id, "other@guest.example", password=PASSWORD)),
        (1, lambda: accounts.sign_in(acme.owner.email, PASSWORD, device=NOWHERE)),
        (1, lambda: accounts.create("bo@guest.example", given_name="B", family_name="O", password=PASSWORD)),
        (1, lambda: organizations.create(founding, founder, by=BY_OPERATOR)),
    )
    for count, action in actions:
        with observed(monkeypatch) as seen:
            action()
        assert seen == [False] * count


def test_concurrently_changed_password_is_not_changed_again(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another browser changes the password between the check of the old one and the lock."""
    make = accounts.hash_new_password

    def overtaken(password: str, **options: Any) -> str:
        monkeypatch.setattr(passwords, "hash_new_password", make)
        accounts.change_password(acme.owner.id, old=PASSWORD, new="the faster one wins", keep_session=None)
        return make(password, **options)

    monkeypatch.setattr(passwords, "hash_new_password", overtaken)
    with pytest.raises(InvalidCredentials):
        accounts.change_password(acme.owner.id, old=PASSWORD, new=NEW, keep_session=None)
    assert accounts.sign_in(acme.owner.email, "the faster one wins", device=NOWHERE)


@contextmanager
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Record the database statements and the hashes."""
    done: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        done.append(" ".join(statement.split()[:3]))

    verify = PasswordHasher.verify

    def verified(self: Any, *given: Any) -> Any:
        done.append("hash")
        return verify(self, *given)

    event.listen(db.engine, "before_cursor_execute", note)
    with monkeypatch.context() as patched:
        patched.setattr(PasswordHasher, "verify", verified)
        yield done
    event.remove(db.engine, "before_cursor_execute", note)


def test_failed_sign_in_costs_the_same_without_account(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    make_person("nothing@guest.example", has_password=False)
    works = []
    for address in (acme.owner.email, "nobody@guest.example", "nothing@guest.example"):
        session().rollback()
        with work(monkeypatch) as done, pytest.raises(InvalidCredentials):
            accounts.sign_in(address, "not the password", device=NOWHERE)
        works.append(done)
    assert works[0] == works[1] == works[2]
    assert works[0].count("hash") == 1


@pytest.mark.parametrize("delivery", ["local", "queued"])
def test_reset_request_costs_the_same_without_account(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, delivery: str
) -> None:
    settings = {"INVITE_MAIL_SERVER": "127.0.0.1"} if delivery == "queued" else {}
    with make_app(**settings).app_context():
        acme = make_organization()
        works = []
        for address in (acme.owner.email, "nobody@guest.example", acme.member.email):
            with work(monkeypatch) as done:
                accounts.request_reset(address)
            works.append([step.replace("ROLLBACK TO", "RELEASE").partition(" sa_")[0] for step in done])
        links = session().scalars(select(AccountLink.user_id)).all()
        notices = session().scalars(select(OutboxMessage.user_id)).all()
    assert works[0] == works[1] == works[2]
    assert [step.split()[0] for step in works[0]].count("INSERT") == 3
    assert sorted(links) == sorted(notices) == sorted([acme.owner.id, acme.member.id])


def test_server_without_accounts_writes_nothing(app_context: None) -> None:
    accounts.request_reset("nobody@guest.example")
    assert session().scalars(select(AccountLink)).all() == []
