"""Rate limits, with and without Redis."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from invite_app.db import session
from invite_app.errors import DeliveryFailed, InvalidCredentials, RateLimited
from invite_app.models import IS_QUEUED, OutboxMessage, User
from invite_app.services import accounts, imports, invitations
from invite_app.services.accounts import Device, known_devices
from invite_app.services.invitations import Changes, Draft
from invite_app.services.rate_limits import limits, memory
from invite_app.services.rate_limits.memory import MemoryWindows
from invite_app.worker.sender import OutboxSender
from tests.support.databases import on_sqlite
from tests.support.factories import OPERATOR, PASSWORD, Acme, Person, invite, make_organization, make_person, reread
from tests.support.mail import SmtpServer

pytestmark = on_sqlite
HERE, ELSEWHERE = Device("192.0.2.1"), Device("192.0.2.2")


@pytest.fixture
def limited(make_app: Callable[..., Flask]) -> Any:
    app = make_app(INVITE_RATE_LIMITS="on")
    with app.app_context():
        yield app


def user_of(person: Person) -> User:
    session().commit()
    found: User = session().get_one(User, person.id, populate_existing=True)
    return found


def fail_to_sign_in(email: str, device: Device, times: int) -> None:
    for _ in range(times):
        with pytest.raises(InvalidCredentials):
            accounts.sign_in(email, "not the password", device=device)


def test_ten_wrong_passwords_lock_only_their_network(limited: Flask) -> None:
    owner = make_organization().owner
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        fail_to_sign_in(owner.email, HERE, 10)
        assert accounts.sign_in(owner.email, PASSWORD, device=ELSEWHERE)
        with pytest.raises(RateLimited) as raised:
            accounts.sign_in(owner.email, PASSWORD, device=HERE)
        assert 1 <= raised.value.retry_after <= 300
        clock.shift(timedelta(seconds=raised.value.retry_after + 1))
        assert accounts.sign_in(owner.email, PASSWORD, device=HERE)


def test_guesses_from_many_networks_are_bounded(limited: Flask) -> None:
    owner = make_organization().owner
    for number in range(100):
        fail_to_sign_in(owner.email, Device(f"198.51.100.{number}"), 1)
    with pytest.raises(RateLimited):
        accounts.sign_in(owner.email, PASSWORD, device=ELSEWHERE)
    known = replace(ELSEWHERE, cookie=accounts.remember_device(user_of(owner), None))
    assert accounts.sign_in(owner.email, PASSWORD, device=known)


def test_known_device_has_its_own_budget(limited: Flask) -> None:
    owner = make_organization().owner
    known = replace(HERE, cookie=accounts.remember_device(user_of(owner), None))
    fail_to_sign_in(owner.email, HERE, 10)
    assert accounts.sign_in(owner.email, PASSWORD, device=known)
    fail_to_sign_in(owner.email, known, 10)
    with pytest.raises(RateLimited):
        accounts.sign_in(owner.email, PASSWORD, device=known)
    assert accounts.sign_in(owner.email, PASSWORD, device=ELSEWHERE)


def test_known_device_is_unknown_to_other_accounts(limited: Flask) -> None:
    acme = make_organization()
    cookie = accounts.remember_device(user_of(acme.admin), None)
    fail_to_sign_in(acme.owner.email, replace(HERE, cookie=cookie), 10)
    for device in (HERE, replace(HERE, cookie=cookie)):
        with pytest.raises(RateLimited):
            accounts.sign_in(acme.owner.email, PASSWORD, device=device)


def test_device_remembers_ten_accounts(limited: Flask) -> None:
    people = [user_of(make_person(f"person{number}@guest.example")) for number in range(11)]
    cookie = None
    for person in people:
        cookie = accounts.remember_device(person, cookie)
    assert accounts.remember_device(people[-1], cookie) == cookie
    assert len({known_devices.find_device_id(person, cookie) for person in people[1:]}) == 1
    assert known_devices.find_device_id(people[0], cookie) is None


@pytest.mark.parametrize("change", ["id", "signature", "length", "nonsense", "too many"])
def test_changed_device_cookie_is_unknown(limited: Flask, change: str) -> None:
    owner = user_of(make_organization().owner)
    raw = base64.urlsafe_b64decode(accounts.remember_device(owner, None) + "==")
    changed = {
        "id": secrets.token_bytes(16) + raw[16:],
        "signature": raw[:-1] + bytes([raw[-1] ^ 1]),
        "length": raw[:-1],
        "nonsense": b"",
        "too many": raw + raw[16:] * 10,
    }[change]
    cookie = base64.urlsafe_b64encode(changed).decode() or "\xe9 no cookie of ours"
    assert known_devices.find_device_id(owner, cookie) is None


def test_new_password_forgets_known_devices(limited: Flask) -> None:
    owner = make_organization().owner
    cookie = accounts.remember_device(user_of(owner), None)
    accounts.change_password(owner.id, old=PASSWORD, new="a phrase that nobody knows", keep_session=None)
    assert known_devices.find_device_id(user_of(owner), cookie) is None


def test_strangers_guesses_leave_own_password_checks_alone(limited: Flask) -> None:
    owner = make_organization().owner
    fail_to_sign_in(owner.email, HERE, 10)
    for _ in range(10):
        with pytest.raises(InvalidCredentials):
            accounts.change_password(owner.id, old="wrong", new=PASSWORD, keep_session="a thief's")
    with pytest.raises(RateLimited):
        accounts.request_email_change(owner.id, "liv@acme.example", password=PASSWORD, session_id="a thief's")
    accounts.request_email_change(owner.id, "liv@acme.example", password=PASSWORD, session_id="the owner's")


def test_one_ipv6_network_is_one_client(limited: Flask) -> None:
    for number in range(30):
        fail_to_sign_in(f"nobody{number}@guest.example", Device(f"2001:db8:0:7:{number}::1"), 1)
    with pytest.raises(RateLimited):
        accounts.sign_in("ana@guest.example", PASSWORD, device=Device("2001:db8:0:7:ffff::1"))
    with pytest.raises(InvalidCredentials):
        accounts.sign_in("ana@guest.example", PASSWORD, device=Device("2001:db8:0:8::1"))


def test_one_ipv6_network_asks_for_20_resets(limited: Flask) -> None:
    for number in range(20):
        accounts.request_reset(f"nobody{number}@guest.example", ip=f"2001:db8:0:7:{number}::1")
    with pytest.raises(RateLimited):
        accounts.request_reset("ana@guest.example", ip="2001:db8:0:7:ffff::1")


def test_account_is_one_in_any_spelling(limited: Flask) -> None:
    for written in ("ana@bücher.example", "ANA@xn--bcher-kva.example", " ana@BÜCHER.example "):
        fail_to_sign_in(written, HERE, 3)
    fail_to_sign_in("ana@bücher.example", HERE, 1)
    with pytest.raises(RateLimited):
        accounts.sign_in("Ana@Bücher.example", "not the password", device=HERE)
    fail_to_sign_in("what is no address closes nothing to others", ELSEWHERE, 11)


def test_one_network_cannot_try_many_accounts(limited: Flask) -> None:
    owner = make_organization().owner
    for number in range(30):
        fail_to_sign_in(f"nobody{number}@guest.example", HERE, 1)
    with pytest.raises(RateLimited):
        accounts.sign_in(owner.email, PASSWORD, device=HERE)
    assert accounts.sign_in(owner.email, PASSWORD, device=ELSEWHERE)


def test_successful_sign_ins_are_not_counted(limited: Flask) -> None:
    owner = make_organization().owner
    for _ in range(40):
        accounts.sign_in(owner.email, PASSWORD, device=HERE)


def test_recipient_is_not_flooded_by_many_organizations(limited: Flask) -> None:
    for number in range(10):
        acme = make_organization(f"Acme {number}")
        invitations.send(acme.id, Draft("ana@guest.example", "member"), by=acme.owner.actor)
    last = make_organization("One too many")
    with pytest.raises(RateLimited):
        invitations.send(last.id, Draft("ana@guest.example", "member"), by=last.owner.actor)
    invitations.send(last.id, Draft("bo@guest.example", "member"), by=last.owner.actor)


def test_invitations_without_mail_leave_the_recipient_alone(limited: Flask) -> None:
    acme, other = make_organization(), make_organization("Other")
    for _ in range(10):
        invitations.revoke(acme.id, invite(acme, notify=False).id, by=OPERATOR)
    assert invite(other)


def test_revoked_queued_mails_are_not_counted(make_app: Callable[..., Flask], smtp: SmtpServer) -> None:
    app = make_app(INVITE_RATE_LIMITS="on", INVITE_MAIL_DELIVERY="queued", **smtp.environ)
    with app.app_context():
        acme, other = make_organization(), make_organization("Other")
        for _ in range(10):
            invitations.revoke(acme.id, invite(acme).id, by=OPERATOR)
        OutboxSender(app).run_once()
        invite(other)
        OutboxSender(app).run_once()
    assert [message.recipients for message in smtp.messages] == [["ana@guest.example"]]


def test_rejected_mails_are_not_counted(make_app: Callable[..., Flask], smtp: SmtpServer) -> None:
    app = make_app(INVITE_RATE_LIMITS="on", **smtp.environ)
    with app.app_context():
        acme, other = make_organization(), make_organization("Other")
        smtp.fail("451 4.3.0 not now", at="message", times=10)
        for _ in range(10):
            with pytest.raises(DeliveryFailed):
                invite(acme)
        assert invite(other)


def test_queued_mails_wait_for_the_recipients_limit(make_app: Callable[..., Flask], smtp: SmtpServer) -> None:
    app = make_app(INVITE_RATE_LIMITS="on", INVITE_MAIL_DELIVERY="queued", **smtp.environ)
    with app.app_context(), time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        for number in range(11):
            invite(make_organization(f"Acme {number}"))
        OutboxSender(app).run_once()
        assert len(smtp.messages) == 10
        with pytest.raises(RateLimited):
            invite(make_organization("One too many"))
        waiting = session().scalars(select(OutboxMessage).where(IS_QUEUED)).one()
        assert waiting.attempts == 0
        clock.shift(timedelta(hours=1, seconds=1))
        OutboxSender(app).run_once()
    assert len(smtp.messages) == 11


BulkAction = Callable[[Acme, Any], object]

MAILS: dict[str, BulkAction] = {
    "a resend": lambda acme, sent: invitations.resend(acme.id, sent.id, by=acme.owner.actor),
    "an address and back": lambda acme, sent: [
        invitations.edit(acme.id, sent.id, Changes(email=email), by=acme.owner.actor)
        for email in ("bo@guest.example", "ana@guest.example")
    ],
    "a list": lambda acme, sent: (
        invitations.revoke(acme.id, sent.id, by=OPERATOR)
        and imports.send_batch(acme.id, [Draft("ana@guest.example", "member")], by=acme.owner.actor)
    ),
}


@pytest.mark.parametrize("kind", MAILS)
def test_every_other_mail_counts_for_its_recipient(limited: Flask, kind: str) -> None:
    """Limits count every kind of mail, so that resending cannot fill a mailbox."""
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
    with pytest.raises(RateLimited) as raised:
        again()
    assert raised.value.what == "invitations"


def test_list_counts_once_for_its_sender(limited: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.RULES, "invitations by actor", memory.Rule(2, limits.HOUR))
    acme = make_organization()
    for turn in range(2):
        rows = [Draft(f"guest{turn}-{number}@guest.example", "member") for number in range(5)]
        imports.send_batch(acme.id, rows, by=acme.owner.actor)
    with pytest.raises(RateLimited):
        imports.send_batch(acme.id, [Draft("ana@guest.example", "member")], by=acme.owner.actor)


def test_address_changes_cannot_mail_everyone(limited: Flask) -> None:
    owner = make_organization().owner
    for number in range(10):
        accounts.request_email_change(owner.id, f"guest{number}@guest.example", password=PASSWORD)
    with pytest.raises(RateLimited):
        accounts.request_email_change(owner.id, "one-more@guest.example", password=PASSWORD)


def test_past_windows_are_forgotten(database_kind: str) -> None:
    windows, item = MemoryWindows(), memory.Rule(2, limits.MINUTE)
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        assert [windows.hit(item, "ana") for _ in range(3)] == [True, True, False]
        for number in range(100):
            windows.hit(item, str(number))
        clock.shift(60)
        assert windows.test(item, "ana")
        for _ in range(60):
            windows.hit(item, "bo")
        assert len(windows) == 1


def test_operator_is_not_limited(limited: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.RULES, "invitations by actor", memory.Rule(1, limits.HOUR))
    acme = make_organization()
    for number in range(3):
        invitations.send(acme.id, Draft(f"guest{number}@guest.example", "member"), by=OPERATOR)
    invitations.send(acme.id, Draft("first@guest.example", "member"), by=acme.owner.actor)
    with pytest.raises(RateLimited):
        invitations.send(acme.id, Draft("second@guest.example", "member"), by=acme.owner.actor)


def test_processes_share_counts_and_survive_without_redis(make_app: Callable[..., Flask], redis_server: Any) -> None:
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
