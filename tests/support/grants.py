"""Grants and their endings, for tests/services/test_grants_end.py.

A grant is made in an organization with a role called Helper and returns its use, which raises once the grant has
ended. It belongs to the admin, who invites for the role Helper.
"""

import re
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select

from invite_app import tokens
from invite_app.access import authorize
from invite_app.db import session
from invite_app.errors import Unauthenticated
from invite_app.models import Invitation, OutboxMessage, User
from invite_app.models.types import now
from invite_app.services import (
    accounts,
    api_keys,
    delivery,
    imports,
    invitations,
    members,
    organizations,
    personal_data,
    roles,
)
from invite_app.services.accounts import Device, Purpose, known_devices
from invite_app.services.imports.parser import ImportLine
from tests.support.factories import (
    OPERATOR,
    PASSWORD,
    Acme,
    add_member,
    invite,
    make_api_key,
    make_link,
    make_member,
    token_of,
)

ANA = "ana@guest.example"
NEW_PASSWORD = "a phrase that nobody knows"
Use = Callable[[], object]
Grant = Callable[[Acme], Use]
Ending = Callable[[Acme], object]

# --- grants ---


def accept(token: str) -> object:
    return invitations.accept_with_new_account(token, invitations.NewProfile("Ana", "Guest", PASSWORD))


def invitation(acme: Acme) -> Use:
    token = token_of(invite(acme, ANA, "Helper", by=acme.admin.actor))
    return lambda: accept(token)


def invitation_by_key(acme: Acme) -> Use:
    token = token_of(invite(acme, ANA, "Helper", by=make_api_key(acme, "admin", user=acme.admin).actor))
    return lambda: accept(token)


def copied_link(acme: Acme) -> Use:
    sent = invite(acme, ANA, "Helper")
    url = invitations.copy_link(acme.id, sent.id, by=acme.admin.actor)
    return lambda: accept(url.rpartition("/")[2])


def link_copied_by_key(acme: Acme) -> Use:
    sent, key = invite(acme, ANA, "Helper"), make_api_key(acme, "admin", user=acme.admin)
    url = invitations.copy_link(acme.id, sent.id, by=key.actor)
    return lambda: accept(url.rpartition("/")[2])


def link_in_outbox(acme: Acme) -> Use:
    invite(acme, ANA, "Helper")
    row = session().scalars(select(OutboxMessage)).one()
    _, message = delivery.get_local(row.id, by=acme.admin.actor)
    found = re.search(r"/invitations/([\w-]+)", message.text)
    assert found
    return lambda: accept(found[1])


def api_key(acme: Acme) -> Use:
    key = make_api_key(acme, "Helper", user=acme.admin)
    return lambda: authorize(key.actor, acme.id, "members:read")


def expiring_key(acme: Acme) -> Use:
    key = make_api_key(acme, "Helper", user=acme.admin, expires_at=now() + timedelta(days=30))
    return lambda: authorize(key.actor, acme.id, "members:read")


def ownership_transfer(acme: Acme) -> Use:
    members.offer_transfer(acme.id, acme.admin.id, by=acme.owner.actor)
    return lambda: members.accept_transfer(acme.id, by=acme.admin.actor)


def reset_link(acme: Acme) -> Use:
    token = make_link(acme.admin, Purpose.RESET)
    return lambda: accounts.reset_password(token, NEW_PASSWORD, device=Device())


def sign_in_link(acme: Acme) -> Use:
    token = accounts.create_sign_in_link(acme.admin.email)
    return lambda: accounts.sign_in_with_link(token, device=Device())


def address_link(acme: Acme) -> Use:
    accounts.request_email_change(acme.admin.id, "adam@guest.example", password=PASSWORD)
    row = session().scalars(select(OutboxMessage).where(OutboxMessage.kind == "address")).one()
    assert row.account_link_id
    token = tokens.account_token(row.account_link_id)
    return lambda: accounts.confirm_email_change(token)


def browser_session(acme: Acme) -> Use:
    started = accounts.start_session(acme.admin.id, device=Device()).id
    return lambda: check_exists(accounts.find_session(started))


def membership(acme: Acme) -> Use:
    return lambda: authorize(acme.admin.actor, acme.id, "invitations:write")


def known_device(acme: Acme) -> Use:
    cookie = known_devices.remember_device(session().get_one(User, acme.admin.id), None)
    return lambda: check_exists(known_devices.find_device_id(session().get_one(User, acme.admin.id), cookie))


def unsent_import(acme: Acme) -> Use:
    line = ImportLine(ANA, "Ana", "Guest", "", ())
    import_id = imports.create(acme.id, [line], by=acme.admin.actor, role="Helper").id
    return lambda: imports.send(acme.id, import_id, by=acme.admin.actor)


def check_exists(found: object) -> object:
    if found is None:
        raise Unauthenticated
    return found


# --- endings ---


def removal(acme: Acme) -> None:
    members.remove(acme.id, acme.admin.id, by=acme.owner.actor)


def removal_and_return(acme: Acme) -> None:
    removal(acme)
    add_member(acme, acme.admin, role="member")


def demotion(acme: Acme) -> None:
    members.change_role(acme.id, acme.admin.id, "member", by=acme.owner.actor)


def demotion_of_owner(acme: Acme) -> None:
    other = make_member(acme, "other@acme.example", "owner")
    members.change_role(acme.id, acme.owner.id, "admin", by=other.actor)


def wider_role(acme: Acme) -> None:
    roles.update_role(acme.id, "helper", permissions=["organization:write"], by=acme.owner.actor)


def narrower_role(acme: Acme) -> None:
    roles.update_role(acme.id, "helper", permissions=[], by=acme.owner.actor)


def deletion_of_role(acme: Acme) -> None:
    roles.delete(acme.id, "helper", by=acme.owner.actor)


def deletion_of_organization(acme: Acme) -> None:
    organizations.delete(acme.id, by=acme.owner.actor)


def revocation_of_key(acme: Acme) -> None:
    for key in api_keys.list_all(acme.id, by=acme.owner.actor):
        api_keys.revoke(acme.id, key.id, by=acme.owner.actor)


def revocation(acme: Acme) -> None:
    invitations.revoke(acme.id, session().scalars(select(Invitation.id)).one(), by=acme.owner.actor)


def new_invited_address(acme: Acme) -> None:
    changes = invitations.Changes(email="bo@guest.example")
    invitations.edit(acme.id, session().scalars(select(Invitation.id)).one(), changes, by=acme.owner.actor)


def narrower_domains(acme: Acme) -> None:
    changes = organizations.Changes(allowed_domains=["acme.example"])
    organizations.change(acme.id, changes, by=acme.owner.actor)


def new_password(acme: Acme) -> None:
    accounts.change_password(acme.admin.id, old=PASSWORD, new=NEW_PASSWORD, keep_session=None)


def reset(acme: Acme) -> None:
    token = make_link(acme.admin, Purpose.RESET)
    accounts.reset_password(token, NEW_PASSWORD, device=Device(), end_api_keys=True)


def new_address(acme: Acme) -> None:
    address_link(acme)()


def end_of_sessions(acme: Acme) -> None:
    accounts.end_other_sessions(acme.admin.id, keep_session="")


def erasure_of_account(acme: Acme) -> None:
    personal_data.erase(acme.admin.id, by=OPERATOR)
