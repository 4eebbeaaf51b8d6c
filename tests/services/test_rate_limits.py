"""How often something may be tried, and what happens when Redis goes away."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from invite_app.errors import RateLimited, WrongPassword
from invite_app.services import accounts, bulk, invitations, own_account, rate_limits
from invite_app.services.accounts import Device
from invite_app.services.invitations import Changes, Draft
from invite_app.services.windows import OwnWindows
from tests.support.databases import on_sqlite
from tests.support.factories import OPERATOR, PASSWORD, Acme, make_organization, reread

pytestmark = on_sqlite
HERE, ELSEWHERE = Device("192.0.2.1"), Device("192.0.2.2")


@pytest.fixture
def limited(make_app: Callable[..., Flask]) -> Any:
    app = make_app(INVITE_RATE_LIMITS="on")
    with app.app_context():
        yield app


def fail_to_sign_in(email: str, device: Device, times: int) -> None:
    for _ in range(times):
        with pytest.raises(WrongPassword):
            accounts.sign_in(email, "not the password", device=device)


def test_ten_wrong_passwords_close_an_account_for_a_while_from_everywhere(limited: Flask) -> None:
    owner = make_organization().owner
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        fail_to_sign_in(owner.email, HERE, 10)
        with pytest.raises(RateLimited) as refusal:
            accounts.sign_in(owner.email, PASSWORD, device=ELSEWHERE)
        assert 1 <= refusal.value.retry_after <= 300
        clock.shift(timedelta(seconds=refusal.value.retry_after + 1))
        assert accounts.sign_in(owner.email, PASSWORD, device=ELSEWHERE)


def test_an_account_is_one_however_its_address_is_written(limited: Flask) -> None:
    for written in ("ana@bücher.example", "ANA@xn--bcher-kva.example", " ana@BÜCHER.example "):
        fail_to_sign_in(written, HERE, 3)
    fail_to_sign_in("ana@bücher.example", HERE, 1)
    with pytest.raises(RateLimited):
        accounts.sign_in("Ana@Bücher.example", "not the password", device=ELSEWHERE)
    fail_to_sign_in("what is no address closes nothing to others", HERE, 11)


def test_one_address_cannot_go_through_many_accounts(limited: Flask) -> None:
    owner = make_organization().owner
    for number in range(30):
        fail_to_sign_in(f"nobody{number}@guest.example", HERE, 1)
    with pytest.raises(RateLimited):
        accounts.sign_in(owner.email, PASSWORD, device=HERE)
    assert accounts.sign_in(owner.email, PASSWORD, device=ELSEWHERE)


def test_signing_in_well_never_counts(limited: Flask) -> None:
    owner = make_organization().owner
    for _ in range(40):
        accounts.sign_in(owner.email, PASSWORD, device=HERE)


def test_a_recipient_is_not_flooded_by_many_organizations(limited: Flask) -> None:
    for number in range(10):
        acme = make_organization(f"Acme {number}")
        invitations.send(acme.id, Draft("ana@guest.example", "member"), by=acme.owner.actor)
    last = make_organization("One too many")
    with pytest.raises(RateLimited):
        invitations.send(last.id, Draft("ana@guest.example", "member"), by=last.owner.actor)
    invitations.send(last.id, Draft("bo@guest.example", "member"), by=last.owner.actor)


Deed = Callable[[Acme, Any], object]

MAILS: dict[str, Deed] = {
    "a resend": lambda acme, sent: invitations.resend(acme.id, sent.id, by=acme.owner.actor),
    "an address and back": lambda acme, sent: [
        invitations.edit(acme.id, sent.id, Changes(email=email), by=acme.owner.actor)
        for email in ("bo@guest.example", "ana@guest.example")
    ],
    "a list": lambda acme, sent: (
        invitations.revoke(acme.id, sent.id, by=OPERATOR)
        and bulk.send(acme.id, [Draft("ana@guest.example", "member")], by=acme.owner.actor)
    ),
}


@pytest.mark.parametrize("kind", MAILS)
def test_every_other_mail_to_a_recipient_counts_as_well(limited: Flask, kind: str) -> None:
    """One invitation is not enough to fill a mailbox, nor is one list that is sent again and again."""
    acme = make_organization()
    sent = [invitations.send(acme.id, Draft("ana@guest.example", "member"), by=acme.owner.actor)]

    def again() -> None:
        done = MAILS[kind](acme, sent[-1])
        if kind == "a list":
            error, invitation_id = done[1][0].error, done[1][0].invitation_id  # type: ignore[index]
            if error is not None:
                raise error
            sent.append(reread(invitation_id))

    for _ in range(9):
        again()
    with pytest.raises(RateLimited) as refusal:
        again()
    assert refusal.value.what == "invitations"


def test_a_list_counts_once_for_its_sender(limited: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rate_limits.RULES, "invitations by actor", rate_limits.Rule(2, rate_limits.HOUR))
    acme = make_organization()
    for turn in range(2):
        rows = [Draft(f"guest{turn}-{number}@guest.example", "member") for number in range(5)]
        bulk.send(acme.id, rows, by=acme.owner.actor)
    with pytest.raises(RateLimited):
        bulk.send(acme.id, [Draft("ana@guest.example", "member")], by=acme.owner.actor)


def test_new_addresses_of_an_account_are_not_a_way_to_mail_everybody(limited: Flask) -> None:
    owner = make_organization().owner
    for number in range(10):
        own_account.request_address(owner.id, f"guest{number}@guest.example", password=PASSWORD)
    with pytest.raises(RateLimited):
        own_account.request_address(owner.id, "one-more@guest.example", password=PASSWORD)


def test_what_is_over_is_forgotten(database_kind: str) -> None:
    windows, item = OwnWindows(), rate_limits.Rule(2, rate_limits.MINUTE)
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        assert [windows.hit(item, "ana") for _ in range(3)] == [True, True, False]
        for number in range(100):
            windows.hit(item, str(number))
        clock.shift(60)
        assert windows.test(item, "ana")
        for _ in range(60):
            windows.hit(item, "bo")
        assert len(windows) == 1


def test_the_operator_is_not_slowed_down(limited: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rate_limits.RULES, "invitations by actor", rate_limits.Rule(1, rate_limits.HOUR))
    acme = make_organization()
    for number in range(3):
        invitations.send(acme.id, Draft(f"guest{number}@guest.example", "member"), by=OPERATOR)
    invitations.send(acme.id, Draft("first@guest.example", "member"), by=acme.owner.actor)
    with pytest.raises(RateLimited):
        invitations.send(acme.id, Draft("second@guest.example", "member"), by=acme.owner.actor)


def test_processes_share_their_counts_through_redis_and_go_on_without_it(
    make_app: Callable[..., Flask], redis_server: Any
) -> None:
    one, other = (make_app(INVITE_RATE_LIMITS="on", INVITE_REDIS_URL=redis_server.url) for _ in range(2))
    with one.app_context():
        fail_to_sign_in("nobody@guest.example", HERE, 10)
    with other.app_context(), pytest.raises(RateLimited):
        accounts.sign_in("nobody@guest.example", "not the password", device=HERE)
    redis_server.stop()
    with other.app_context():
        fail_to_sign_in("nobody@guest.example", HERE, 10)
        with pytest.raises(RateLimited):
            accounts.sign_in("nobody@guest.example", "not the password", device=HERE)
