"""Twelve simultaneous calls: one wins where only one may, and limits hold."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from invite_app.access import OperatorActor
from invite_app.db import session
from invite_app.models import Invitation, Membership, Organization, OutboxMessage, User
from invite_app.services import delivery, invitations, inviter_mail, members, organizations, personal_data, roles
from invite_app.services.api_keys import authentication
from invite_app.services.organizations import NewOrganization, NewOwner
from tests.support.factories import (
    BY_OPERATOR,
    PASSWORD,
    Acme,
    configure,
    expire,
    invite,
    make_api_key,
    make_member,
    make_organization,
    make_person,
    token_of,
)
from tests.support.mail import SmtpServer

Together = Callable[..., list[Any]]
MANY = range(12)
ANA = invitations.NewProfile("Ana", "Guest", PASSWORD)
OPERATOR = OperatorActor()


def tally(outcomes: list[Any]) -> Counter[str]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


@pytest.fixture(autouse=True)
def counters_stay_right(app: Flask) -> Any:
    """Check that counters equal the rows and nobody is a member twice."""
    yield
    with app.app_context():
        for organization in session().scalars(select(Organization)):
            here = organization.id
            counted = [
                session().scalar(select(func.count()).select_from(model).where(model.organization_id == here, *which))
                for model, which in ((Membership, ()), (Invitation, (Invitation.state == "pending",)))
            ]
            assert [organization.members_count, organization.pending_count] == counted


class TestInviting:
    def test_the_same_address_succeeds_once(self, acme: Acme, together: Together) -> None:
        outcomes = together(partial(invite, acme, "ana@guest.example") for _ in MANY)
        assert tally(outcomes) == {"Invitation": 1, "InvitationPending": 11}

    def test_different_addresses_fill_the_seats_exactly(self, app: Flask, acme: Acme, together: Together) -> None:
        with app.app_context():
            configure(acme, seat_limit=7)
        outcomes = together(partial(invite, acme, f"a{number}@guest.example") for number in MANY)
        assert tally(outcomes) == {"Invitation": 4, "SeatLimitReached": 8}

    def test_after_reading_in_the_same_request_waits(self, acme: Acme, together: Together) -> None:
        def read_then_write(number: int) -> None:
            members.list_page(acme.id, by=acme.owner.actor)
            invitations.list_page(acme.id, by=acme.owner.actor)
            invite(acme, f"a{number}@guest.example")
            invitations.list_page(acme.id, by=acme.owner.actor)

        assert together(partial(read_then_write, number) for number in MANY) == [None] * 12

    def test_into_several_organizations_does_not_block(self, app: Flask, together: Together) -> None:
        with app.app_context():
            houses = [make_organization(name) for name in ("One", "Two", "Three")]
        outcomes = together(partial(invite, houses[number % 3], f"a{number}@guest.example") for number in MANY)
        assert tally(outcomes) == {"Invitation": 12}


class TestInvitation:
    def test_is_accepted_once(self, app: Flask, acme: Acme, together: Together) -> None:
        with app.app_context():
            token = token_of(invite(acme))
        outcomes = together(partial(invitations.accept_with_new_account, token, ANA) for _ in range(6))
        assert tally(outcomes) == {"Membership": 1, "InvitationClosed": 5}

    def test_is_accepted_once_by_two_sessions(self, app: Flask, acme: Acme, together: Together) -> None:
        with app.app_context():
            person = make_person("ana@guest.example")
            token = token_of(invite(acme, "ana@guest.example"))
        outcomes = together(partial(invitations.accept_with_account, token, person.id) for _ in range(6))
        assert tally(outcomes) == {"Membership": 1, "InvitationClosed": 5}

    def test_ends_in_one_state_only(self, app: Flask, acme: Acme, together: Together) -> None:
        with app.app_context():
            sent = invite(acme)
            token = token_of(sent)
        actions: list[Callable[[], Any]] = [
            partial(invitations.accept_with_new_account, token, ANA),
            partial(invitations.decline, token),
            partial(invitations.revoke, acme.id, sent.id, by=acme.owner.actor),
            partial(invitations.revoke, acme.id, sent.id, by=acme.admin.actor),
        ]
        assert tally(together(actions))["InvitationClosed"] == 3

    def test_of_two_organizations_creates_one_account(self, app: Flask, together: Together) -> None:
        with app.app_context():
            made = [token_of(invite(make_organization(name))) for name in ("One", "Two", "Three")]
        outcomes = together(partial(invitations.accept_with_new_account, token, ANA) for token in made)
        assert tally(outcomes) == {"Membership": 1, "SignInRequired": 2}
        with app.app_context():
            query = select(func.count()).select_from(User).where(User.email == "ana@guest.example")
            assert session().scalar(query) == 1

    def test_and_a_direct_membership_create_one_member(self, app: Flask, acme: Acme, together: Together) -> None:
        with app.app_context():
            person = make_person("ana@guest.example")
            token = token_of(invite(acme, "ana@guest.example"))
        outcomes = tally(
            together(
                [
                    partial(invitations.accept_with_account, token, person.id),
                    partial(members.add, acme.id, person.id, "member", by=acme.owner.actor),
                ]
            )
        )
        assert outcomes["Membership"] == 1

    def test_acceptance_does_not_outlive_the_inviters_permission(
        self, app: Flask, acme: Acme, together: Together
    ) -> None:
        with app.app_context():
            token = token_of(invite(acme, by=acme.admin.actor))
        joined, removed = together(
            [
                partial(invitations.accept_with_new_account, token, ANA),
                partial(members.remove, acme.id, acme.admin.id, by=acme.owner.actor),
            ]
        )
        assert not isinstance(removed, Exception)
        assert type(joined).__name__ in ("Membership", "InviterNotAllowed")


class TestOwners:
    @pytest.fixture
    def second(self, app: Flask, acme: Acme) -> Any:
        with app.app_context():
            return make_member(acme, "second@acme.example", "owner")

    def owners_left(self, app: Flask, acme: Acme) -> int:
        with app.app_context():
            owner = roles.get(acme.id, "owner").id
            found = session().scalar(select(func.count()).where(Membership.role_id == owner))
            assert found is not None
            return found

    def test_leaving_together_keep_one_owner(self, app: Flask, acme: Acme, second: Any, together: Together) -> None:
        outcomes = together(partial(members.leave, acme.id, by=who.actor) for who in (acme.owner, second))
        assert tally(outcomes)["LastOwner"] == 1
        assert self.owners_left(app, acme) == 1

    @pytest.mark.parametrize("action", ["remove", "demote"])
    def test_removing_or_demoting_each_other_keep_one_owner(
        self, app: Flask, acme: Acme, second: Any, together: Together, action: str
    ) -> None:
        def do(by: Any, whom: Any) -> Any:
            if action == "remove":
                return members.remove(acme.id, whom.id, by=by.actor)
            return members.change_role(acme.id, whom.id, "member", by=by.actor).id

        outcomes = together([partial(do, acme.owner, second), partial(do, second, acme.owner)])
        assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 1
        assert self.owners_left(app, acme) == 1


class TestSetUp:
    def test_two_set_ups_create_one_organization(self, app: Flask, together: Together) -> None:
        outcomes = together(
            partial(
                organizations.set_up,
                NewOrganization("Acme"),
                NewOwner(f"o{number}@acme.example", "O", "O", PASSWORD),
                ip=None,
            )
            for number in range(4)
        )
        assert tally(outcomes) == {"tuple": 1, "AlreadySetUp": 3}

    def test_organizations_of_one_name_get_different_slugs(self, app: Flask, together: Together) -> None:
        with app.app_context():
            make_person("olivia@acme.example")
        founder = NewOwner("olivia@acme.example", "Olivia")
        outcomes = together(
            partial(organizations.create, NewOrganization("Acme"), founder, by=BY_OPERATOR) for _ in range(4)
        )
        made = [outcome[0].slug for outcome in outcomes if isinstance(outcome, tuple)]
        assert made
        assert len(set(made)) == len(made)
        assert len(made) + tally(outcomes)["NameTaken"] == 4


class TestKeys:
    def test_used_simultaneously_are_all_accepted(self, app: Flask, acme: Acme, together: Together) -> None:
        with app.app_context():
            key = make_api_key(acme, "admin")
        assert together(partial(authentication.authenticate, key.secret, ip=None) for _ in MANY) == [key.actor] * 12


class TestImmediateDelivery:
    @pytest.fixture
    def app(self, make_app: Callable[..., Flask], smtp: SmtpServer) -> Any:
        app = make_app(**smtp.environ)
        yield app
        app.extensions["invite_app.transport"].close()

    def test_sends_one_mail_for_twelve_attempts(self, acme: Acme, together: Together, smtp: SmtpServer) -> None:
        outcomes = together(partial(invite, acme, "ana@guest.example") for _ in MANY)
        assert tally(outcomes) == {"Invitation": 1, "InvitationPending": 11}
        assert len(smtp.messages) == 1

    def test_failing_for_all_leaves_nobody_invited(
        self, app: Flask, acme: Acme, together: Together, smtp: SmtpServer
    ) -> None:
        smtp.fail("451 4.7.1 later")
        outcomes = together(partial(invite, acme, f"a{number}@guest.example") for number in MANY)
        assert tally(outcomes) == {"DeliveryFailed": 12}
        smtp.behave()
        with app.app_context():
            assert session().scalar(select(func.count()).select_from(Invitation)) == 0
            assert invite(acme, "a1@guest.example").state == "pending"

    def test_claims_never_overlap(
        self, make_app: Callable[..., Flask], app: Flask, smtp: SmtpServer, acme: Acme, together: Together
    ) -> None:
        with make_app(**smtp.environ, INVITE_MAIL_DELIVERY="queued").app_context():
            for number in MANY:
                invite(acme, f"a{number}@guest.example")
        claimed = [row.id for rows in together(partial(delivery.claim, 3) for _ in range(6)) for row in rows]
        assert len(claimed) == len(set(claimed)) == 12


def test_repeated_requests_notify_the_inviter_once(app: Flask, acme: Acme, together: Together) -> None:
    with app.app_context():
        late = invite(acme)
        expire(late)
        token = token_of(late)
    together(partial(invitations.request_new_invitation, token) for _ in MANY)
    with app.app_context():
        notifications = select(func.count()).where(OutboxMessage.kind == inviter_mail.ASKED)
        assert session().scalar(notifications) == 1


class TestErasure:
    def test_happens_once(self, app: Flask, acme: Acme, together: Together) -> None:
        outcomes = together(partial(personal_data.erase, acme.member.id, by=OPERATOR) for _ in range(4))
        assert tally(outcomes) == {"str": 1, "UserNotFound": 3}

    def test_keeps_an_owner(self, app: Flask, acme: Acme, together: Together) -> None:
        with app.app_context():
            owners = [acme.owner, *(make_member(acme, f"o{number}@acme.example", "owner") for number in range(2))]
        outcomes = together(partial(personal_data.erase, owner.id, by=OPERATOR) for owner in owners)
        assert tally(outcomes) == {"str": 2, "SoleOwner": 1}

    def test_and_an_acceptance_leave_no_member(self, app: Flask, acme: Acme, together: Together) -> None:
        with app.app_context():
            person = make_person("ana@guest.example")
            token = token_of(invite(acme, "ana@guest.example"))
        actions: list[Callable[[], Any]] = [
            partial(personal_data.erase, person.id, by=OPERATOR),
            *(partial(invitations.accept_with_account, token, person.id) for _ in range(3)),
        ]
        assert tally(together(actions))["str"] == 1
        with app.app_context():
            assert session().scalar(select(func.count()).select_from(Membership)) == 3
