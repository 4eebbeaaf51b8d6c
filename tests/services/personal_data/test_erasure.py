"""Erasing a person, and exporting their data."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, select

from invite_app import tokens
from invite_app.access import UserActor
from invite_app.db import session
from invite_app.errors import InvalidCredentials, InvalidLink, RateLimited, SoleOwner, Unauthenticated, UserNotFound
from invite_app.extensions import db
from invite_app.models import (
    AccountLink,
    AuditEvent,
    ImportRow,
    Invitation,
    Organization,
    User,
)
from invite_app.models.types import Base
from invite_app.services import accounts, audit, idempotency, imports, invitations, members, personal_data
from invite_app.services.accounts import Device, Purpose
from invite_app.services.api_keys import authentication
from invite_app.services.imports.parser import ImportLine
from invite_app.services.invitations import Changes
from invite_app.services.rate_limits import limits
from tests.support.factories import (
    OPERATOR,
    PASSWORD,
    Acme,
    Person,
    expire,
    history,
    invite,
    make_api_key,
    make_link,
    make_member,
    make_organization,
    reread,
    token_of,
)

NEW, OLD = "zoe@new.example", "zoe@old.example"
NAMES = ("zoe", "zölle", "z\\u00f6lle")


def everything() -> str:
    """Return all rows of all tables as text in lower case."""
    session().rollback()
    tables = Base.metadata.sorted_tables
    rows = {table.name: session().execute(select(table)).mappings().all() for table in tables}
    return "\n".join(f"{name}: {dict(row)}" for name, found in rows.items() for row in found).lower()


def change_address(person: Person, address: str) -> None:
    accounts.request_email_change(person.id, address, password=PASSWORD)
    newest = session().scalars(select(AccountLink).order_by(AccountLink.id.desc())).first()
    assert newest is not None
    accounts.confirm_email_change(tokens.account_token(newest.id), ip="192.0.2.7")


@pytest.fixture
def zoe(acme: Acme, globex: Acme) -> Person:
    """Create an admin of Acme who has left a trace of every kind, there and in Globex."""
    third = make_organization("Initech")
    zoe = make_member(acme, OLD, "admin", given_name="Zoe", family_name="Zölle")
    key = make_api_key(acme, role="admin", user=zoe, name="Robot")
    invitations.take_over(acme.id, invite(acme, "bo@guest.example", by=zoe.actor).id, by=acme.owner.actor)
    invite(acme, "cy@guest.example", by=key.actor)
    invite(acme, "di@guest.example", by=zoe.actor)
    changed = invite(globex, "someone@guest.example")
    invitations.edit(globex.id, changed.id, Changes(email=OLD, note="Hello Zoe"), by=globex.owner.actor)
    invitations.decline(token_of(changed), word="Zoe says no")
    change_address(zoe, NEW)
    invite(globex, NEW, given_name="Zoe", family_name="Zölle", public_metadata={"who": NEW})
    late = invite(third, NEW, note="Hello Zoe")
    expire(late)
    invitations.request_new_invitation(token_of(late), "Zoe asks")
    imports.create(third.id, [ImportLine(NEW, "Zoe", "Zölle", "", ())], by=third.owner.actor, role="member")
    imports.create(acme.id, [ImportLine("ed@guest.example", "Ed", "Ek", "", ())], by=zoe.actor, role="member")
    request = idempotency.KeyedRequest("scope", "key", "hash")
    idempotency.store_error(request, idempotency.StoredResponse(409, f'{{"detail": "{NEW} is already a member."}}'))
    members.offer_transfer(acme.id, zoe.id, by=acme.owner.actor)
    accounts.start_session(zoe.id, device=Device("192.0.2.7", "Zoe's browser"))
    accounts.request_reset(NEW)
    session().commit()
    return zoe


def test_nothing_names_an_erased_person(acme: Acme, zoe: Person) -> None:
    before = everything()
    assert NEW in before
    assert OLD in before
    pseudonym = personal_data.erase(zoe.id, by=OPERATOR)
    after = everything()
    assert not [line for line in after.splitlines() if any(name in line for name in NAMES)]
    assert "192.0.2.7" not in after
    assert pseudonym.lower() in after
    assert pseudonym.startswith("Deleted user ")


def test_erased_person_can_do_nothing_more(acme: Acme, zoe: Person) -> None:
    key = make_api_key(acme, role="member", user=zoe)
    signed_in, reset = accounts.start_session(zoe.id, device=Device()), make_link(zoe, Purpose.RESET)
    personal_data.erase(zoe.id, by=OPERATOR)
    assert accounts.find_session(signed_in.id) is None
    for use, error in (
        (lambda: authentication.authenticate(key.secret, ip=None), Unauthenticated),
        (lambda: accounts.reset_password(reset, "a phrase that nobody knows", device=Device()), InvalidLink),
        (lambda: accounts.get_by_email(NEW), UserNotFound),
    ):
        with pytest.raises(error):
            use()


def test_organization_counts_exclude_the_erased_person(acme: Acme, globex: Acme, zoe: Person) -> None:
    def counted(organization: Acme) -> tuple[int, int]:
        session().expire_all()
        row = session().get_one(Organization, organization.id)
        return row.members_count, row.pending_count

    assert (counted(acme), counted(globex)) == ((4, 3), (3, 1))
    personal_data.erase(zoe.id, by=OPERATOR)
    assert (counted(acme), counted(globex)) == ((3, 3), (3, 0))
    states = {row.state for row in session().scalars(select(Invitation).where(Invitation.email.like("deleted-%")))}
    assert states == {"declined", "revoked"}
    waiting = invitations.list_page(acme.id, by=acme.owner.actor).items
    assert {one.email: one.inviter_lost_right for one in waiting} == {
        "bo@guest.example": False,
        "cy@guest.example": True,
        "di@guest.example": True,
    }


def test_audit_log_keeps_one_pseudonym(acme: Acme, zoe: Person) -> None:
    pseudonym = personal_data.erase(zoe.id, by=OPERATOR)
    found = audit.list_page(acme.id, by=acme.owner.actor, only=audit.Filter(actor=pseudonym)).items
    assert {one.actor_name for one in found} == {pseudonym, f"Robot ({pseudonym})"}
    assert {one.ip for one in found} == {None}
    taken_over = next(one for one in session().scalars(select(AuditEvent)) if one.action == "invitation.taken_over")
    assert taken_over.before == {"inviter": pseudonym}
    (erased, *_) = history(zoe.id)
    assert (erased.action, erased.actor_name) == ("account.erased", "The operator")
    assert audit.list_page(acme.id, by=acme.owner.actor, only=audit.Filter(target="zoe")).items == []


def test_namesakes_and_new_holders_keep_their_names(acme: Acme, globex: Acme, zoe: Person) -> None:
    namesake = make_member(globex, OLD, "admin", given_name="Zoe", family_name="Zölle")
    invitations.take_over(globex.id, invite(globex, "fi@guest.example", by=namesake.actor).id, by=globex.owner.actor)
    waiting = invite(acme, OLD)
    personal_data.erase(zoe.id, by=OPERATOR)
    session().expire_all()
    assert session().get_one(User, namesake.id).name == "Zoe Zölle"
    assert (reread(waiting).email, reread(waiting).state) == (OLD, "pending")
    taken_over = next(one for one in session().scalars(select(AuditEvent)) if one.before == {"inviter": "Zoe Zölle"})
    assert taken_over.organization_id == globex.id


def test_lists_lose_the_erased_persons_rows(acme: Acme, zoe: Person) -> None:
    personal_data.erase(zoe.id, by=OPERATOR)
    assert session().scalars(select(ImportRow)).all() == []


def test_sole_owner_is_not_erased(acme: Acme, globex: Acme) -> None:
    members.change_role(globex.id, make_member(globex, "o@globex.example", "owner").id, "owner", by=OPERATOR)
    before = everything()
    with pytest.raises(SoleOwner) as raised:
        personal_data.erase(acme.owner.id, by=OPERATOR)
    assert str(raised.value) == "Acme would have no owner. Transfer ownership or delete the organization first."
    assert everything() == before
    assert [one.name for one in personal_data.find_sole_ownerships(acme.owner.id)] == ["Acme"]
    personal_data.erase(globex.owner.id, by=OPERATOR)


def test_own_erasure_needs_the_password(acme: Acme, zoe: Person) -> None:
    def erase(password: str) -> str:
        return personal_data.erase_own(zoe.id, password=password, session_id="s", by=UserActor(zoe.id, "192.0.2.7"))

    with pytest.raises(InvalidCredentials):
        erase("wrong")
    pseudonym = erase(PASSWORD)
    assert {one.actor_name for one in history(zoe.id)} <= {pseudonym, "Olivia Owner"}
    assert "192.0.2.7" not in everything()


def test_password_changed_meanwhile_stops_the_erasure(
    acme: Acme, zoe: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "check_password", lambda *_: "the hash of a moment ago")
    with pytest.raises(InvalidCredentials):
        personal_data.erase_own(zoe.id, password=PASSWORD, session_id="s", by=zoe.actor)
    assert session().get(User, zoe.id)


def test_failed_erasure_changes_nothing(acme: Acme, zoe: Person) -> None:
    before = everything()

    def fail(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("DELETE FROM users"):
            raise OSError("disk failure")

    event.listen(db.engine, "before_cursor_execute", fail)
    with pytest.raises(OSError, match="disk failure"):
        personal_data.erase(zoe.id, by=OPERATOR)
    event.remove(db.engine, "before_cursor_execute", fail)
    assert everything() == before


# --- export ---


def test_export_has_every_kind_of_data(acme: Acme, zoe: Person) -> None:
    exported = personal_data.export(zoe.id)
    assert exported["account"]["email"] == NEW
    assert [one["organization"] for one in exported["memberships"]] == ["Acme"]
    empty = [name for name, value in exported.items() if not value]
    assert empty == []
    assert {one["organization"] for one in exported["invitations_received"]} == {"Globex", "Initech"}
    assert {one["action"] for one in exported["actions"]} >= {"invitation.sent", "account.address_changed"}
    (row,) = exported["list_rows"]
    assert (row["organization"], row["email"], row["given_name"]) == ("Initech", NEW, "Zoe")


def test_export_leaves_other_people_and_secrets_out(acme: Acme, zoe: Person) -> None:
    stored_hash = session().get_one(User, zoe.id).password_hash
    text = str(personal_data.export_own(zoe.id, password=PASSWORD, session_id="s"))
    words = ("guest.example", "Olivia", "owner@", "secret_hash", "nonce", "private_metadata", stored_hash)
    assert [one for one in words if str(one) in text] == []
    assert "private_metadata" in str(personal_data.export(zoe.id))


def test_own_export_needs_the_password(acme: Acme) -> None:
    with pytest.raises(InvalidCredentials):
        personal_data.export_own(acme.owner.id, password="wrong", session_id="s")


def test_own_exports_are_limited(make_app: Callable[..., Any]) -> None:
    with make_app(INVITE_RATE_LIMITS="on").app_context():
        owner = make_organization().owner
        for _ in range(limits.RULES["exports of account"].amount):
            personal_data.export_own(owner.id, password=PASSWORD, session_id="s")
        with pytest.raises(RateLimited):
            personal_data.export_own(owner.id, password=PASSWORD, session_id="s")
