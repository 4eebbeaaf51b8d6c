"""Mails about security changes of an account, and the sessions and keys that a reset ends."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from invite_app import tokens
from invite_app.db import session
from invite_app.errors import InvalidLink, Unauthenticated, WeakPassword
from invite_app.models import AccountLink, Invitation
from invite_app.services import accounts
from invite_app.services.accounts import Device, Purpose
from invite_app.services.api_keys import authentication
from invite_app.worker.sender import OutboxSender
from tests.support.factories import (
    PASSWORD,
    Acme,
    Person,
    history,
    invite,
    make_api_key,
    make_link,
    make_organization,
    make_person,
)
from tests.support.mail import SmtpServer

NEW = "a phrase that nobody knows"
Subjects = Callable[[], dict[str, list[str]]]


@pytest.fixture
def mailing(smtp_app: Flask) -> Iterator[Flask]:
    with smtp_app.app_context():
        yield smtp_app


@pytest.fixture
def subjects(mailing: Flask, smtp: SmtpServer) -> Subjects:
    """Deliver queued messages; return the subjects by recipient."""

    def deliver() -> dict[str, list[str]]:
        OutboxSender(mailing).run_once()
        return {to: [one.subject for one in smtp.to(to)] for message in smtp.messages for to in message.recipients}

    return deliver


def change_address(person: Person, address: str, before: Callable[[], object] = dict) -> None:
    """Change the address; `before` is called when the link is queued and not yet followed."""
    accounts.request_email_change(person.id, address, password=PASSWORD)
    before()
    newest = session().scalars(select(AccountLink).order_by(AccountLink.id.desc())).first()
    assert newest is not None
    accounts.confirm_email_change(tokens.account_token(newest.id))


def test_new_password_is_mailed(mailing: Flask, subjects: Subjects, smtp: SmtpServer) -> None:
    ana = make_person("ana@guest.example")
    accounts.change_password(ana.id, old=PASSWORD, new=NEW, keep_session=None)
    assert subjects() == {"ana@guest.example": ["Your password was changed"]}
    (mail,) = smtp.messages
    assert mail.links == ["http://localhost/forgot"]
    assert "Hello Ana, the password of your account was changed on " in mail.text


def test_reset_is_mailed(mailing: Flask, subjects: Subjects) -> None:
    ana = make_person("ana@guest.example")
    accounts.reset_password(make_link(ana, Purpose.RESET), NEW, device=Device())
    assert subjects() == {"ana@guest.example": ["Your password was changed"]}


def test_new_address_is_mailed_to_both_addresses(mailing: Flask, subjects: Subjects, smtp: SmtpServer) -> None:
    change_address(make_person("ana@guest.example"), "ana@new.example", before=subjects)
    changed = "The email address of your account was changed"
    assert subjects() == {"ana@new.example": ["Confirm your new address", changed], "ana@guest.example": [changed]}
    (old,) = smtp.to("ana@guest.example")
    assert "no longer uses this address" in old.text
    assert "ana@new.example" not in old.text + old.html
    assert "/forgot" not in old.text + old.html


def test_ending_other_sessions_is_mailed(mailing: Flask, subjects: Subjects) -> None:
    ana = make_person("ana@guest.example")
    accounts.end_other_sessions(ana.id, accounts.start_session(ana.id, device=Device()).id)
    assert subjects() == {"ana@guest.example": ["You were signed out in other browsers"]}


def test_unverified_address_gets_no_security_mail(mailing: Flask, subjects: Subjects) -> None:
    ana = make_person("stranger@guest.example", is_verified=False)
    accounts.change_password(ana.id, old=PASSWORD, new=NEW, keep_session=None)
    accounts.end_other_sessions(ana.id, "none")
    accounts.change_password(ana.id, old=NEW, new=PASSWORD, keep_session=None)
    assert subjects() == {}
    change_address(ana, "ana@new.example")
    assert list(subjects()) == ["ana@new.example"]


def test_refused_changes_send_no_mail(mailing: Flask, subjects: Subjects) -> None:
    ana = make_person("ana@guest.example")
    link = make_link(ana, Purpose.RESET)
    with pytest.raises(WeakPassword):
        accounts.reset_password(link, "short", device=Device())
    accounts.reset_password(link, NEW, device=Device())
    with pytest.raises(InvalidLink):
        accounts.reset_password(link, PASSWORD, device=Device(), end_api_keys=True)
    assert subjects() == {"ana@guest.example": ["Your password was changed"]}


@pytest.fixture
def two(app_context: None) -> tuple[Acme, Acme]:
    return make_organization(), make_organization("Globex")


def test_reset_leaves_api_keys_alone(two: tuple[Acme, Acme]) -> None:
    key = make_api_key(two[0])
    accounts.reset_password(make_link(two[0].owner, Purpose.RESET), NEW, device=Device())
    assert authentication.authenticate(key.secret, ip=None)


def test_reset_ends_api_keys_when_asked(two: tuple[Acme, Acme]) -> None:
    acme, globex = two
    own, others = make_api_key(acme), [make_api_key(globex), make_api_key(acme, role="member", user=acme.admin)]
    sent = invite(acme, by=own.actor)
    link = make_link(acme.owner, Purpose.RESET)
    accounts.reset_password(link, NEW, device=Device("192.0.2.1"), end_api_keys=True)
    with pytest.raises(Unauthenticated):
        authentication.authenticate(own.secret, ip=None)
    for key in others:
        assert authentication.authenticate(key.secret, ip=None)
    (ended, _) = history(own.id)
    assert (ended.action, ended.actor_name, ended.ip) == ("api_key.revoked", "Olivia Owner", "192.0.2.1")
    session().expire_all()
    assert session().get_one(Invitation, sent.id).inviter_lost_right
