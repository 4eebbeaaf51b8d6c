"""Grants end with their source: ownership transfers, and API keys with their role or member."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from invite_app.access import authorize
from invite_app.db import session, transaction
from invite_app.errors import CannotManageMember, OwnershipTransferNotFound, Unauthenticated
from invite_app.models import ApiKey, AuditEvent, Membership, OwnershipOffer, Role
from invite_app.models.types import now
from invite_app.services import members, roles
from tests.support.factories import Acme, Person, add_member, make_api_key, make_member, make_role


def role_of(acme: Acme, person: Person) -> str:
    query = select(Role.key).join(Membership, Membership.role_id == Role.id)
    mine = Membership.organization_id == acme.id, Membership.user_id == person.id
    return session().scalars(query.where(*mine)).one()


def actions(acme: Acme) -> list[str]:
    query = select(AuditEvent.action).where(AuditEvent.organization_id == acme.id).order_by(AuditEvent.id)
    return list(session().scalars(query))


def remove_heir(acme: Acme, _: Person) -> None:
    members.remove(acme.id, acme.admin.id, by=acme.owner.actor)
    add_member(acme, acme.admin, role="member")


def let_heir_leave(acme: Acme, _: Person) -> None:
    members.leave(acme.id, by=acme.admin.actor)
    add_member(acme, acme.admin, role="member")


def remove_owner(acme: Acme, other: Person) -> None:
    members.remove(acme.id, acme.owner.id, by=other.actor)
    add_member(acme, acme.owner, role="owner")


def demote_owner(acme: Acme, other: Person) -> None:
    members.change_role(acme.id, acme.owner.id, "admin", by=other.actor)
    members.change_role(acme.id, acme.owner.id, "owner", by=other.actor)


class TestOwnershipTransfer:
    @pytest.mark.parametrize("end", [remove_heir, let_heir_leave, remove_owner, demote_owner])
    def test_ends_with_membership_and_ownership(self, acme: Acme, end: Callable[[Acme, Person], None]) -> None:
        other = make_member(acme, "other@acme.example", "owner")
        members.offer_transfer(acme.id, acme.admin.id, by=acme.owner.actor)
        end(acme, other)
        with pytest.raises(OwnershipTransferNotFound):
            members.accept_transfer(acme.id, by=acme.admin.actor)
        assert session().get(OwnershipOffer, acme.id) is None
        assert role_of(acme, acme.owner) == "owner"
        assert "ownership.ended" in actions(acme)

    @pytest.mark.parametrize("end", [remove_heir, let_heir_leave, remove_owner])
    def test_older_than_membership_cannot_be_accepted(self, acme: Acme, end: Callable[[Acme, Person], None]) -> None:
        """The check at acceptance does not depend on the deletion of the row."""
        other = make_member(acme, "other@acme.example", "owner")
        made = members.offer_transfer(acme.id, acme.admin.id, by=acme.owner.actor).created_at
        end(acme, other)
        with transaction() as writing:
            writing.add(
                OwnershipOffer(
                    organization_id=acme.id, owner_id=acme.owner.id, heir_id=acme.admin.id, created_at=made
                )
            )
        with pytest.raises(OwnershipTransferNotFound):
            members.accept_transfer(acme.id, by=acme.admin.actor)


def test_expires_after_seven_days(acme: Acme) -> None:
    members.offer_transfer(acme.id, acme.admin.id, by=acme.owner.actor)
    with time_machine.travel(now() + timedelta(days=7, seconds=1)):
        assert members.find_transfer(acme.id, by=acme.admin.actor) is None
        with pytest.raises(OwnershipTransferNotFound):
            members.accept_transfer(acme.id, by=acme.admin.actor)
        members.offer_transfer(acme.id, acme.admin.id, by=acme.owner.actor)
        members.accept_transfer(acme.id, by=acme.admin.actor)
    assert role_of(acme, acme.admin) == "owner"


def test_can_be_accepted_on_day_six(acme: Acme) -> None:
    members.offer_transfer(acme.id, acme.admin.id, by=acme.owner.actor)
    with time_machine.travel(now() + timedelta(days=6)):
        members.accept_transfer(acme.id, by=acme.admin.actor)
    assert role_of(acme, acme.admin) == "owner"


@pytest.fixture
def bot_role(acme: Acme) -> str:
    make_role(acme, "Bot", ["invitations:write"])
    return "bot"


class TestKeysOfOthers:
    def test_admin_cannot_end_owners_key_by_role(self, acme: Acme, bot_role: str) -> None:
        key = make_api_key(acme, bot_role)
        with pytest.raises(CannotManageMember):
            roles.delete(acme.id, bot_role, by=acme.admin.actor)
        with pytest.raises(CannotManageMember):
            roles.update_role(acme.id, bot_role, permissions=[], by=acme.admin.actor)
        assert authorize(key.actor, acme.id).can("invitations:write")

    def test_admin_may_rename_role_of_owners_key(self, acme: Acme, bot_role: str) -> None:
        make_api_key(acme, bot_role)
        assert roles.update_role(acme.id, bot_role, name="Robot", by=acme.admin.actor).name == "Robot"

    def test_revoked_keys_do_not_matter(self, acme: Acme, bot_role: str) -> None:
        key = make_api_key(acme, bot_role)
        with transaction() as writing:
            writing.execute(update(ApiKey).where(ApiKey.id == key.id).values(revoked_at=now()))
        roles.delete(acme.id, bot_role, by=acme.admin.actor)

    def test_owner_ends_keys_with_the_role(self, acme: Acme, bot_role: str) -> None:
        key = make_api_key(acme, bot_role)
        roles.delete(acme.id, bot_role, by=acme.owner.actor)
        with pytest.raises(Unauthenticated):
            authorize(key.actor, acme.id)
        assert "api_key.revoked" in actions(acme)

    def test_removal_records_each_ended_key(self, acme: Acme) -> None:
        make_api_key(acme, "admin", user=acme.admin)
        make_api_key(acme, "member", user=acme.admin)
        members.remove(acme.id, acme.admin.id, by=acme.owner.actor)
        assert actions(acme).count("api_key.revoked") == 2
