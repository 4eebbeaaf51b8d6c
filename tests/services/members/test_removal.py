"""Removing members and adding them directly."""

import pytest
from sqlalchemy import select

from invite_app.db import session
from invite_app.errors import (
    AlreadyMember,
    OrganizationNotFound,
    Unauthenticated,
    UserNotFound,
)
from invite_app.models import Organization, OutboxMessage
from invite_app.services import api_keys, members, organizations
from invite_app.services.api_keys import authentication
from tests.support.factories import (
    OPERATOR,
    Acme,
    add_member,
    expire,
    invite,
    make_api_key,
    make_person,
    reread,
)


class TestRemoval:
    def test_revokes_the_persons_keys_here(self, acme: Acme) -> None:
        key = make_api_key(acme, "admin", user=acme.admin)
        members.remove(acme.id, acme.admin.id, by=acme.owner.actor)
        with pytest.raises(Unauthenticated):
            authentication.authenticate(key.secret, ip=None)
        assert api_keys.list_all(acme.id, by=OPERATOR) == []

    def test_rejoining_does_not_restore_keys(self, acme: Acme) -> None:
        key = make_api_key(acme, "admin", user=acme.admin)
        members.remove(acme.id, acme.admin.id, by=acme.owner.actor)
        members.add(acme.id, acme.admin.id, "admin", by=acme.owner.actor)
        with pytest.raises(Unauthenticated):
            authentication.authenticate(key.secret, ip=None)

    def test_ends_invitations_to_but_not_by_them(self, acme: Acme) -> None:
        person = make_person("ana@guest.example")
        to_them = invite(acme, "ana@guest.example")
        add_member(acme, person, role="admin")
        by_them = invite(acme, "bo@guest.example", by=person.actor)
        members.remove(acme.id, person.id, by=acme.owner.actor)
        assert reread(to_them).state == "revoked"
        assert (reread(by_them).state, reread(by_them).inviter_lost_right) == ("pending", True)
        assert session().get_one(Organization, acme.id).pending_count == 1

    def test_leaves_an_expired_invitation_expired(self, acme: Acme) -> None:
        person = make_person("ana@guest.example")
        sent = invite(acme, "ana@guest.example")
        add_member(acme, person)
        expire(sent)
        members.remove(acme.id, person.id, by=acme.owner.actor)
        assert reread(sent).state == "expired"

    def test_of_oneself_is_leaving(self, acme: Acme) -> None:
        members.leave(acme.id, by=acme.member.actor)
        with pytest.raises(OrganizationNotFound):
            organizations.get(acme.id, by=acme.member.actor)
        assert session().get_one(Organization, acme.id).members_count == 2


class TestDirectMembership:
    def test_closes_a_pending_invitation_and_notifies_the_person(self, acme: Acme) -> None:
        person = make_person("ana@guest.example")
        sent = invite(acme, "ana@guest.example")
        members.add(acme.id, person.id, "admin", by=acme.owner.actor)
        assert reread(sent).state == "revoked"
        assert session().scalar(select(OutboxMessage.user_id).where(OutboxMessage.kind == "added")) == person.id
        assert session().get_one(Organization, acme.id).members_count == 4

    def test_needs_a_verified_account(self, acme: Acme) -> None:
        for user_id in (make_person("ana@guest.example", is_verified=False).id, acme.id, "nonsense"):
            with pytest.raises(UserNotFound):
                members.add(acme.id, user_id, "member", by=acme.owner.actor)

    def test_is_not_granted_twice(self, acme: Acme) -> None:
        with pytest.raises(AlreadyMember):
            members.add(acme.id, acme.member.id, "admin", by=acme.owner.actor)
