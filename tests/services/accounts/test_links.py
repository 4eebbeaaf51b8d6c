"""Account links read without consuming them, last activity, and limits of resets and passwords."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from invite_app import tokens
from invite_app.db import session, transaction
from invite_app.errors import InvalidCredentials, InvalidLink, RateLimited
from invite_app.models import AccountLink, Session
from invite_app.models.types import now
from invite_app.services import accounts
from invite_app.services.accounts import Device, Purpose
from tests.support.factories import PASSWORD, make_person

NEW = "a phrase that nobody knows"


def last_link() -> str:
    newest = session().scalars(select(AccountLink).order_by(AccountLink.id.desc())).first()
    return tokens.account_token(newest.id)


class TestReadingALink:
    def test_leaves_it_usable(self, app_context: None) -> None:
        accounts.request_reset(make_person("ana@guest.example").email)
        token = last_link()
        for _ in range(2):
            assert accounts.get_link(token, Purpose.RESET).user.email == "ana@guest.example"
        accounts.reset_password(token, NEW, device=Device())

    @pytest.mark.parametrize("fate", ["used", "ended", "of another purpose", "no link at all"])
    def test_finds_only_usable_links(self, fate: str, app_context: None) -> None:
        accounts.request_reset(make_person("ana@guest.example").email)
        token = "nonsense" if fate == "no link at all" else last_link()
        if fate == "used":
            accounts.reset_password(token, NEW, device=Device())
        if fate == "ended":
            with transaction() as writing:
                writing.execute(update(AccountLink).values(expires_at=now()))
        with pytest.raises(InvalidLink):
            accounts.get_link(token, Purpose.ADDRESS if fate == "of another purpose" else Purpose.RESET)


class TestLastActive:
    def test_is_recorded_every_few_minutes(self, app_context: None) -> None:
        started = accounts.start_session(make_person("ana@guest.example").id, device=Device())
        first, session_id = started.last_seen_at, started.id
        for minutes, ignore in ((4, 0), (6, 6), (10, 6), (12, 12)):
            with time_machine.travel(first + timedelta(minutes=minutes), tick=False):
                found = accounts.find_session(session_id)
                assert found is not None
                accounts.touch_session(found)
            session().commit()
            seen = session().scalar(select(Session.last_seen_at).where(Session.id == session_id))
            assert seen == first + timedelta(minutes=ignore)


class TestResetLimit:
    def test_applies_with_and_without_an_account(self, make_app: Callable[..., Flask]) -> None:
        app = make_app(INVITE_RATE_LIMITS="on")
        with app.app_context():
            make_person("ana@guest.example")
            for address in ("ana@guest.example", "nobody@guest.example"):
                for _ in range(3):
                    accounts.request_reset(address, ip="192.0.2.1")
                with pytest.raises(RateLimited):
                    accounts.request_reset(f" {address.upper()}", ip="192.0.2.2")


class TestOwnPasswordLimit:
    def test_is_shared_by_all_password_checks(self, make_app: Callable[..., Flask]) -> None:
        app = make_app(INVITE_RATE_LIMITS="on")
        with app.app_context():
            person = make_person("ana@guest.example")
            for _ in range(5):
                with pytest.raises(InvalidCredentials):
                    accounts.change_password(person.id, old="wrong", new=NEW, keep_session=None)
                with pytest.raises(InvalidCredentials):
                    accounts.request_email_change(person.id, "bo@guest.example", password="wrong")
            with pytest.raises(RateLimited):
                accounts.change_password(person.id, old=PASSWORD, new=NEW, keep_session=None)
            with pytest.raises(RateLimited):
                accounts.request_email_change(person.id, "bo@guest.example", password=PASSWORD)
            assert accounts.sign_in(person.email, PASSWORD, device=Device())
