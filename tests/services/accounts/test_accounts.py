"""Accounts: one per address, signed in by password or by a link that works once."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from invite_app.db import session, transaction
from invite_app.errors import AccountExists, InvalidCredentials, InvalidEmail, InvalidLink, UserNotFound, WeakPassword
from invite_app.models import AccountLink, User
from invite_app.models.types import now
from invite_app.services import accounts, invitations
from invite_app.services.accounts import passwords, queries
from invite_app.tokens import account_token
from tests.support.factories import PASSWORD, Acme, invite, make_person, token_of

NOWHERE = accounts.Device()
NEW = "a new and longer password"


def last_link() -> str:
    """Return the token of the newest account link."""
    session().commit()
    found = session().scalars(select(AccountLink.id).order_by(AccountLink.created_at.desc())).first()
    assert found is not None
    return account_token(found)


class TestCreating:
    def test_is_unique_by_address_ignoring_case(self, app_context: None) -> None:
        accounts.create("Ana@Guest.example", given_name="Ana", family_name="Guest")
        with pytest.raises(AccountExists):
            accounts.create("ANA@guest.EXAMPLE", given_name="Eve", family_name="Guest")

    def test_distinguishes_lookalike_addresses(self, app_context: None) -> None:
        accounts.create("strasse@guest.example", given_name="Ana", family_name="Guest")
        with pytest.raises(InvalidEmail):
            accounts.create("straße@guest.example", given_name="Ana", family_name="Guest")

    def test_stores_no_plain_password(self, app_context: None) -> None:
        made = accounts.create("ana@guest.example", given_name="Ana", family_name="Guest", password=PASSWORD)
        assert made.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert PASSWORD not in made.password_hash

    def test_unique_constraint_decides_between_two_at_once(
        self, app_context: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_person("ana@guest.example")
        monkeypatch.setattr(queries, "find_by_email", lambda _: None)
        with pytest.raises(AccountExists):
            accounts.create("ana@guest.example", given_name="Ana", family_name="Guest")


class TestSigningIn:
    def test_ignores_the_case_of_the_address(self, app_context: None) -> None:
        person = make_person("ana@guest.example")
        assert accounts.sign_in(" ANA@Guest.example", PASSWORD, device=NOWHERE).user_id == person.id

    @pytest.mark.parametrize(
        "address", ["eve@guest.example", "nonsense", "", "ana@guest.example", "keyless@guest.example"]
    )
    def test_fails_alike_for_every_reason(self, app_context: None, address: str) -> None:
        make_person("ana@guest.example")
        make_person("keyless@guest.example", has_password=False)
        for password in ("wrong password", "", "x" * 100_000, "\ud800"):
            with pytest.raises(InvalidCredentials):
                accounts.sign_in(address, password, device=NOWHERE)

    def test_hashes_once_even_without_an_account(self, app_context: None, monkeypatch: pytest.MonkeyPatch) -> None:
        make_person("ana@guest.example")
        seen: list[str | None] = []
        monkeypatch.setattr(passwords, "password_matches", lambda _, stored: bool(seen.append(stored)))
        for address in ("ana@guest.example", "eve@guest.example", "nonsense"):
            with pytest.raises(InvalidCredentials):
                accounts.sign_in(address, PASSWORD, device=NOWHERE)
        assert len(seen) == 3

    def test_expires_after_two_weeks(self, app_context: None) -> None:
        make_person("ana@guest.example")
        started = accounts.sign_in("ana@guest.example", PASSWORD, device=NOWHERE)
        assert accounts.find_session(started.id) is not None
        with time_machine.travel(now() + timedelta(days=15)):
            session().commit()
            assert accounts.find_session(started.id) is None

    def test_out_in_one_browser_keeps_the_others(self, app_context: None) -> None:
        make_person("ana@guest.example")
        first, second = (accounts.sign_in("ana@guest.example", PASSWORD, device=NOWHERE).id for _ in range(2))
        accounts.sign_out(first)
        assert accounts.find_session(first) is None
        assert accounts.find_session(second) is not None

    def test_session_of_another_account_cannot_be_ended(self, app_context: None) -> None:
        ana, eve = make_person("ana@guest.example"), make_person("eve@guest.example")
        started = accounts.sign_in(ana.email, PASSWORD, device=NOWHERE).id
        for given in (started, "\x00", "\ud800", "' OR 1=1"):
            accounts.end_session(eve.id, given)
        assert accounts.find_session(started) is not None


class TestLinks:
    def test_sign_in_once_within_fifteen_minutes(self, app_context: None) -> None:
        person = make_person("ana@guest.example")
        token = accounts.create_sign_in_link("ANA@guest.example")
        assert accounts.sign_in_with_link(token, device=NOWHERE).user_id == person.id
        with pytest.raises(InvalidLink):
            accounts.sign_in_with_link(token, device=NOWHERE)
        late = accounts.create_sign_in_link("ana@guest.example")
        with time_machine.travel(now() + timedelta(minutes=16)), pytest.raises(InvalidLink):
            accounts.sign_in_with_link(late, device=NOWHERE)

    def test_need_an_account(self, app_context: None) -> None:
        with pytest.raises(UserNotFound):
            accounts.create_sign_in_link("ana@guest.example")

    def test_have_one_purpose_each(self, acme: Acme) -> None:
        invitation = token_of(invite(acme))
        accounts.request_reset("owner@acme.example")
        reset = last_link()
        sign_in = accounts.create_sign_in_link("owner@acme.example")
        for token in (invitation, reset):
            with pytest.raises(InvalidLink):
                accounts.sign_in_with_link(token, device=NOWHERE)
        for token in (invitation, sign_in):
            with pytest.raises(InvalidLink):
                accounts.reset_password(token, NEW, device=NOWHERE)
        for token in (reset, sign_in):
            with pytest.raises(InvalidLink):
                invitations.open_link(token)

    def test_resets_verify_the_address_and_end_all_sessions(self, app_context: None) -> None:
        person = make_person("ana@guest.example", is_verified=False)
        started = accounts.sign_in(person.email, PASSWORD, device=NOWHERE).id
        accounts.request_reset(person.email)
        token = last_link()
        with pytest.raises(WeakPassword):
            accounts.reset_password(token, "short", device=NOWHERE)
        accounts.reset_password(token, NEW, device=NOWHERE)
        assert accounts.find_session(started) is None
        assert session().get_one(User, person.id).is_verified
        assert accounts.sign_in(person.email, NEW, device=NOWHERE)
        with pytest.raises(InvalidCredentials):
            accounts.sign_in(person.email, PASSWORD, device=NOWHERE)

    def test_are_invalid_after_a_new_password(self, app_context: None) -> None:
        person = make_person("ana@guest.example")
        accounts.request_reset(person.email)
        reset, sign_in = last_link(), accounts.create_sign_in_link(person.email)
        accounts.change_password(person.id, old=PASSWORD, new=NEW, keep_session=None)
        with pytest.raises(InvalidLink):
            accounts.reset_password(reset, NEW, device=NOWHERE)
        with pytest.raises(InvalidLink):
            accounts.sign_in_with_link(sign_in, device=NOWHERE)

    def test_to_an_old_address_are_invalid(self, app_context: None) -> None:
        person = make_person("ana@guest.example")
        accounts.request_reset(person.email)
        reset = last_link()
        accounts.request_email_change(person.id, "bo@guest.example", password=PASSWORD)
        accounts.confirm_email_change(last_link())
        with pytest.raises(InvalidLink):
            accounts.reset_password(reset, NEW, device=NOWHERE)

    def test_cannot_claim_an_address_taken_meanwhile(self, app_context: None) -> None:
        person = make_person("ana@guest.example")
        accounts.request_email_change(person.id, "bo@guest.example", password=PASSWORD)
        token = last_link()
        make_person("bo@guest.example")
        with pytest.raises(AccountExists):
            accounts.confirm_email_change(token)
        session().commit()
        assert session().get_one(User, person.id).email == "ana@guest.example"

    def test_are_not_created_for_unknown_addresses(self, app_context: None) -> None:
        for address in ("eve@guest.example", "nonsense", ""):
            accounts.request_reset(address)
        assert session().scalars(select(AccountLink)).all() == []

    def test_past_their_expiry_do_nothing(self, app_context: None) -> None:
        accounts.request_reset(make_person("ana@guest.example").email)
        token = last_link()
        with transaction() as writing:
            writing.execute(update(AccountLink).values(expires_at=now()))
        with pytest.raises(InvalidLink):
            accounts.reset_password(token, NEW, device=NOWHERE)
