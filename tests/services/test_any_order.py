"""Invariants that hold after every step, with any actions by anyone in any order.

Two organizations, a handful of addresses, and a clock that is moved by hand.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, func, select

from invite_app.access import OperatorActor, UserActor
from invite_app.db import session, transaction
from invite_app.errors import DomainError
from invite_app.models import ApiKey, AuditEvent, Invitation, Membership, Organization, OutboxMessage, Role, User
from invite_app.models.roles import PERMISSIONS
from invite_app.models.types import now
from invite_app.services import imports, invitations, maintenance, members, organizations
from invite_app.services.invitations import Changes, Draft
from tests.support.factories import OPERATOR, Acme, make_organization, make_person, reread, token_of

ADDRESSES = [f"{name}@guest.example" for name in "abcd"]
PROFILE = invitations.NewProfile("Ana", "Guest", "correct horse battery staple")

where = st.sampled_from([0, 1])
address = st.sampled_from(ADDRESSES)
role = st.sampled_from(["owner", "admin", "member"])
number = st.integers(0, 30)


class Services(RuleBasedStateMachine):
    """The steps; each is one action that may raise a domain error, and no other."""

    @initialize()
    def begin(self) -> None:
        self.resources = ExitStack()
        self.clock = self.resources.enter_context(time_machine.travel(now(), tick=False))
        self.houses = [make_organization(name) for name in ("One", "Two")]
        self.people = {item: make_person(item, has_password=False).id for item in ADDRESSES[:2]}
        self.ended: dict[UUID, tuple[Any, ...]] = {}
        self.free: set[UUID] = set()

    def teardown(self) -> None:
        if hasattr(self, "resources"):
            self.resources.close()
        session().remove()
        with transaction() as writing:
            for model in (Organization, User, AuditEvent):
                writing.execute(delete(model))

    def attempt(self, action: Callable[[], Any]) -> bool:
        try:
            action()
        except DomainError:
            return False
        return True

    def actor(self, house: Acme, pick: int) -> UserActor | OperatorActor:
        present = session().scalars(
            select(Membership.user_id).where(Membership.organization_id == house.id).order_by(Membership.id)
        )
        return [OPERATOR, *map(UserActor, present)][pick % (1 + self.count(Membership, house))]

    def member(self, house: Acme, pick: int) -> UUID:
        query = select(Membership.user_id).where(Membership.organization_id == house.id).order_by(Membership.id)
        found = session().scalars(query).all()
        return found[pick % len(found)]

    def invitation(self, house: Acme, pick: int) -> UUID | None:
        """Draw an invitation, more often than not a pending one."""
        here = select(Invitation.id).where(Invitation.organization_id == house.id).order_by(Invitation.id)
        pending = session().scalars(here.where(Invitation.state == "pending")).all()
        found = pending if pending and pick % 4 else session().scalars(here).all()
        return found[pick % len(found)] if found else None

    def count(self, model: Any, house: Acme, *conditions: Any) -> int:
        query = select(func.count()).select_from(model).where(model.organization_id == house.id, *conditions)
        return session().scalar(query) or 0

    # --- actions ---

    @rule(at=where, email=address, role=role, by=number)
    def invite(self, at: int, email: str, role: str, by: int) -> None:
        house, actor = self.houses[at], self.actor(self.houses[at], by)
        if self.attempt(lambda: invitations.send(house.id, Draft(email, role), by=actor)):
            self.check_seats(house)
            self.check_grant(house, actor, role)

    @rule(at=where, emails=st.lists(address, max_size=4), role=role, by=number)
    def invite_many(self, at: int, emails: list[str], role: str, by: int) -> None:
        house, actor = self.houses[at], self.actor(self.houses[at], by)
        results: list[imports.RowResult] = []
        rows = [Draft(email, role) for email in emails]
        if self.attempt(lambda: results.extend(imports.send_batch(house.id, rows, by=actor)[1])):
            accepted = [result for result in results if result.invitation_id]
            assert len({result.draft.email for result in accepted}) == len(accepted)
            if accepted:
                self.check_seats(house)
                self.check_grant(house, actor, role)

    @rule(at=where, which=number, by=number)
    def resend(self, at: int, which: int, by: int) -> None:
        house, sent = self.houses[at], self.invitation(self.houses[at], which)
        if sent is None:
            return
        was_live = session().scalar(select(Invitation.expires_at).where(Invitation.id == sent)) > now()
        if self.attempt(lambda: invitations.resend(house.id, sent, by=self.actor(house, by))) and not was_live:
            self.check_seats(house)

    @rule(at=where, which=number, by=number, action=st.sampled_from(["revoke", "extend", "take_over", "copy_link"]))
    def change(self, at: int, which: int, by: int, action: str) -> None:
        house, sent = self.houses[at], self.invitation(self.houses[at], which)
        if sent is not None:
            self.attempt(lambda: getattr(invitations, action)(house.id, sent, by=self.actor(house, by)))

    @rule(at=where, which=number, by=number, email=address, role=role)
    def edit(self, at: int, which: int, by: int, email: str, role: str) -> None:
        house, sent = self.houses[at], self.invitation(self.houses[at], which)
        if sent is None:
            return
        actor, old, before = self.actor(house, by), token_of(sent), reread(sent).email
        changes = Changes(email=email, role=role)
        if self.attempt(lambda: invitations.edit(house.id, sent, changes, by=actor)):
            self.check_grant(house, actor, role)
            if before != email:
                assert not self.attempt(lambda: invitations.open_link(old)), (
                    "the old address has a link that still opens"
                )

    @rule(at=where, which=number, copied=st.booleans(), action=st.sampled_from(["new", "signed in", "decline"]))
    def answer(self, at: int, which: int, copied: bool, action: str) -> None:
        house, sent = self.houses[at], self.invitation(self.houses[at], which)
        if sent is None:
            return
        token = token_of(sent, copied=copied)
        email = session().scalar(select(Invitation.email).where(Invitation.id == sent))
        user_id = session().scalar(select(User.id).where(User.email == email))
        if action == "new":
            joined = self.attempt(lambda: invitations.accept_with_new_account(token, PROFILE))
        elif action == "decline" or user_id is None:
            self.attempt(lambda: invitations.decline(token))
            return
        else:
            joined = self.attempt(lambda: invitations.accept_with_account(token, user_id))
        if joined:
            self.check_proof(email, copied=copied, had_account=user_id is not None)
            limit = session().get_one(Organization, house.id).seat_limit
            assert limit is None or self.count(Membership, house) <= limit

    @rule(at=where, whom=address, role=role, by=number)
    def add(self, at: int, whom: str, role: str, by: int) -> None:
        house, user_id, actor = self.houses[at], self.people.get(whom), self.actor(self.houses[at], by)
        if user_id and self.attempt(lambda: members.add(house.id, user_id, role, by=actor)):
            self.check_seats(house)
            self.check_grant(house, actor, role)

    @rule(at=where, whom=number, role=role, by=number)
    def change_role(self, at: int, whom: int, role: str, by: int) -> None:
        house = self.houses[at]
        target, actor = self.member(house, whom), self.actor(house, by)
        allowed = self.permissions(house, actor)
        had = self.permissions(house, UserActor(target))
        if self.attempt(lambda: members.change_role(house.id, target, role, by=actor)):
            assert had <= allowed
            assert self.permissions(house, UserActor(target)) <= allowed

    @rule(at=where, whom=number, by=number)
    def remove(self, at: int, whom: int, by: int) -> None:
        house = self.houses[at]
        target = self.member(house, whom)
        actor = self.actor(house, by)
        allowed, had = self.permissions(house, actor), self.permissions(house, UserActor(target))
        if self.attempt(lambda: members.remove(house.id, target, by=actor)):
            assert had <= allowed
            assert self.count(ApiKey, house, ApiKey.user_id == target, ApiKey.revoked_at.is_(None)) == 0

    @rule(at=where, whom=number)
    def leave(self, at: int, whom: int) -> None:
        house = self.houses[at]
        target = self.member(house, whom)
        if self.attempt(lambda: members.leave(house.id, by=UserActor(target))):
            assert not self.permissions(house, UserActor(target))

    @rule(at=where, email=address)
    def invite_on_the_free_plan(self, at: int, email: str) -> None:
        house = self.houses[at]
        before = self.count(Invitation, house, Invitation.state == "pending")
        organizations.change(house.id, organizations.Changes(plan="free"), by=OPERATOR)
        assert self.count(Invitation, house, Invitation.state == "pending") == before, "a plan ends nothing"
        assert not self.attempt(lambda: invitations.send(house.id, Draft(email, "member"), by=OPERATOR))
        organizations.change(house.id, organizations.Changes(plan="paid"), by=OPERATOR)
        self.free.discard(house.id)

    @rule(at=where, plan=st.sampled_from(["free", "paid", "paid"]))
    def change_plan(self, at: int, plan: str) -> None:
        house = self.houses[at]
        organizations.change(house.id, organizations.Changes(plan=plan), by=OPERATOR)
        (self.free.add if plan == "free" else self.free.discard)(house.id)

    @rule()
    def sweep(self) -> None:
        maintenance.expire_overdue()
        overdue = select(Invitation.id).where(Invitation.state == "pending", Invitation.expires_at <= now())
        assert session().scalars(overdue).all() == []

    @rule(at=where, limit=st.sampled_from([None, 3, 4, 4, 5]))
    def change_seats(self, at: int, limit: int | None) -> None:
        organizations.change(self.houses[at].id, organizations.Changes(seat_limit=limit), by=OPERATOR)

    @rule(days=st.sampled_from([1, 4, 8]), at=where, email=address)
    def wait_and_invite(self, days: int, at: int, email: str) -> None:
        self.clock.shift(timedelta(days=days))
        house = self.houses[at]
        if self.attempt(lambda: invitations.send(house.id, Draft(email, "member"), by=OPERATOR)):
            self.check_seats(house)

    # --- invariants ---

    def permissions(self, house: Acme, actor: UserActor | OperatorActor) -> set[str]:
        if isinstance(actor, OperatorActor):
            return set(PERMISSIONS)
        query = select(Role.permissions).join(Membership, Membership.role_id == Role.id)
        mine = Membership.organization_id == house.id, Membership.user_id == actor.user_id
        return set(session().scalar(query.where(*mine)) or ())

    def check_grant(self, house: Acme, actor: UserActor | OperatorActor, role: str) -> None:
        """Check that nobody assigns permissions they do not have."""
        granted = select(Role.permissions).where(Role.organization_id == house.id, Role.key == role)
        assert set(session().scalar(granted) or ()) <= self.permissions(house, actor)

    def check_proof(self, email: str | None, *, copied: bool, had_account: bool) -> None:
        """Check that a link that an admin may have copied verifies no address."""
        is_verified = session().scalar(select(User.is_verified).where(User.email == email))
        assert is_verified == (had_account or not copied)

    def check_seats(self, house: Acme) -> None:
        assert house.id not in self.free, "somebody was let in on the free plan"
        organization = session().get_one(Organization, house.id)
        live = self.count(Invitation, house, Invitation.state == "pending", Invitation.expires_at > now())
        assert organization.seat_limit is None or organization.members_count + live <= organization.seat_limit

    @precondition(lambda self: hasattr(self, "houses"))
    @invariant()
    def counters_equal_rows(self) -> None:
        session().rollback()
        for house in self.houses:
            organization = session().get_one(Organization, house.id)
            assert organization.members_count == self.count(Membership, house)
            assert organization.pending_count == self.count(Invitation, house, Invitation.state == "pending")

    @precondition(lambda self: hasattr(self, "houses"))
    @invariant()
    def there_is_an_owner_and_nobody_is_there_twice(self) -> None:
        for house in self.houses:
            owners = select(Role.id).where(Role.organization_id == house.id, Role.key == "owner")
            assert self.count(Membership, house, Membership.role_id.in_(owners)) >= 1
            people = session().scalars(select(Membership.user_id).where(Membership.organization_id == house.id)).all()
            assert len(people) == len(set(people))
            pending = select(Invitation.email).where(
                Invitation.organization_id == house.id, Invitation.state == "pending"
            )
            waiting = session().scalars(pending).all()
            assert len(waiting) == len(set(waiting))
            query = select(User.email).join(Membership, Membership.user_id == User.id)
            present = set(session().scalars(query.where(Membership.organization_id == house.id)))
            assert not present & set(waiting)

    @precondition(lambda self: hasattr(self, "houses"))
    @invariant()
    def nothing_belongs_to_two_organizations(self) -> None:
        for table in (Membership, Invitation):
            elsewhere = select(table.id).join(Role, Role.id == table.role_id)
            assert session().scalars(elsewhere.where(Role.organization_id != table.organization_id)).all() == []

    @precondition(lambda self: hasattr(self, "houses"))
    @invariant()
    def each_invitation_has_its_mail(self) -> None:
        sent = select(Invitation.id).outerjoin(OutboxMessage, OutboxMessage.invitation_id == Invitation.id)
        assert session().scalars(sent.where(OutboxMessage.id.is_(None))).all() == []
        elsewhere = sent.where(OutboxMessage.organization_id != Invitation.organization_id)
        assert session().scalars(elsewhere).all() == []

    @precondition(lambda self: hasattr(self, "houses"))
    @invariant()
    def what_has_ended_stays_as_it_is(self) -> None:
        final = select(Invitation.id, Invitation.state, Invitation.email, Invitation.closed_at, Invitation.role_name)
        for row in session().execute(final.where(Invitation.state.in_(["accepted", "declined", "revoked"]))):
            assert self.ended.setdefault(row.id, tuple(row)) == tuple(row)
        session().commit()


@pytest.fixture
def in_context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def test_invariants_hold_after_every_step(in_context: None) -> None:
    run_state_machine_as_test(
        Services,
        settings=settings(
            max_examples=12,
            stateful_step_count=40,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # a failure lists the steps; shrinking them would take minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
