"""Creating, changing and deleting organizations."""

import pytest
from sqlalchemy import func, select

from invite_app.access import OperatorActor
from invite_app.db import session
from invite_app.errors import (
    AlreadySetUp,
    DomainError,
    InvalidEmail,
    InvalidLifetime,
    InvalidName,
    InvalidSetting,
    OrganizationNotFound,
    WeakPassword,
)
from invite_app.models import AuditEvent, Invitation, Membership, Organization, OutboxMessage, SetupMarker, User
from invite_app.models.roles import BUILT_IN
from invite_app.models.types import Base
from invite_app.services import members, organizations, roles
from invite_app.services.organizations import Changes, NewOrganization, NewOwner
from tests.support.factories import (
    BY_OPERATOR,
    OPERATOR,
    PASSWORD,
    Acme,
    invite,
    make_api_key,
    make_person,
)

OLIVIA = NewOwner("olivia@acme.example", "Olivia", "Owner", PASSWORD)


def count(model: type[Base]) -> int:
    session().commit()
    return session().scalar(select(func.count()).select_from(model)) or 0


class TestCreating:
    def test_adds_three_roles_and_one_owner(self, app_context: None) -> None:
        acme, owner = organizations.create(NewOrganization("Acme Ltd"), OLIVIA, by=BY_OPERATOR)
        assert {role.key: tuple(role.permissions) for role in roles.list_all(acme.id, by=OPERATOR)} == BUILT_IN
        assert (acme.slug, acme.members_count, owner.is_verified) == ("acme-ltd", 1, True)
        assert members.get(acme.id, owner.id, by=OPERATOR).role.is_owner

    def test_uses_an_existing_account_unchanged(self, app_context: None) -> None:
        person = make_person("olivia@acme.example", "Liv")
        _, owner = organizations.create(NewOrganization("Acme"), OLIVIA, by=BY_OPERATOR)
        assert (owner.id, owner.given_name) == (person.id, "Liv")

    def test_assigns_unique_slugs(self, app_context: None) -> None:
        slugs = [
            organizations.create(NewOrganization(name), OLIVIA, by=BY_OPERATOR)[0].slug
            for name in ("A", "A", "日本", "a!")
        ]
        assert slugs == ["a", "a-2", "organization", "a-3"]

    @pytest.mark.parametrize(
        ("founding", "founder", "error"),
        [
            (NewOrganization(""), OLIVIA, InvalidName),
            (NewOrganization("A", plan="gold"), OLIVIA, InvalidSetting),
            (NewOrganization("A", seat_limit=0), OLIVIA, InvalidSetting),
            (NewOrganization("A", allowed_origins=["*"]), OLIVIA, InvalidSetting),
            (NewOrganization("A"), NewOwner("no", "Olivia"), InvalidEmail),
            (NewOrganization("A"), NewOwner("o@acme.example", ""), InvalidName),
            (NewOrganization("A"), NewOwner("o@acme.example", "Olivia", password="short"), WeakPassword),
        ],
        ids=str,
    )
    def test_with_an_invalid_value_stores_nothing(
        self, app_context: None, founding: NewOrganization, founder: NewOwner, error: type[DomainError]
    ) -> None:
        for found in (
            lambda: organizations.create(founding, founder, by=BY_OPERATOR),
            lambda: organizations.set_up(founding, founder, ip=None),
        ):
            with pytest.raises(error):
                found()
        assert (count(Organization), count(User), count(SetupMarker)) == (0, 0, 0)

    def test_through_setup_happens_once(self, app_context: None) -> None:
        organizations.set_up(NewOrganization("Acme"), OLIVIA, ip=None)
        with pytest.raises(AlreadySetUp):
            organizations.set_up(NewOrganization("Acme"), OLIVIA, ip=None)
        assert organizations.is_set_up()

    def test_setup_is_closed_after_the_operator_created_one(self, acme: Acme) -> None:
        with pytest.raises(AlreadySetUp):
            organizations.set_up(
                NewOrganization("Mine"), NewOwner("eve@evil.example", "Eve", password=PASSWORD), ip=None
            )


class TestSettings:
    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"name": ""}, InvalidName),
            ({"plan": "gold"}, InvalidSetting),
            ({"seat_limit": 0}, InvalidSetting),
            ({"seat_limit": 10_000_001}, InvalidSetting),
            ({"allowed_domains": ["nonsense!"]}, InvalidSetting),
            ({"allowed_origins": ["https://*.acme.example"]}, InvalidSetting),
        ],
        ids=str,
    )
    def test_invalid_settings_change_nothing(
        self, acme: Acme, changes: dict[str, object], error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            organizations.change(acme.id, Changes(**{"plan": "free", **changes}), by=OPERATOR)
        assert organizations.get(acme.id, by=OPERATOR).plan == "paid"

    def test_lifetimes_stay_within_bounds(self, acme: Acme) -> None:
        lifetime = acme_lifetime = organizations.get(acme.id, by=OPERATOR).invitation_lifetime
        for factor in (0, 1 / 169, 53):
            with pytest.raises(InvalidLifetime):
                organizations.change(acme.id, Changes(invitation_lifetime=lifetime * factor), by=OPERATOR)
        assert organizations.get(acme.id, by=OPERATOR).invitation_lifetime == acme_lifetime


class TestDeletion:
    def test_deletes_all_but_accounts_and_an_audit_event(self, acme: Acme, globex: Acme) -> None:
        key = make_api_key(acme, "admin", user=acme.admin)
        invite(acme, workspace_ids=acme.workspaces, by=key.actor)
        invite(acme, "bo@guest.example")
        organizations.delete(acme.id, by=acme.owner.actor)
        assert (count(Organization), count(Membership), count(Invitation), count(OutboxMessage)) == (1, 3, 0, 0)
        assert count(User) == 6
        gone = session().scalars(select(AuditEvent).where(AuditEvent.action == "organization.deleted")).one()
        assert (gone.organization_id, gone.target_name, gone.actor_id) == (None, "Acme", acme.owner.id)
        with pytest.raises(OrganizationNotFound):
            organizations.get(acme.id, by=OperatorActor())
        assert organizations.get(globex.id, by=globex.owner.actor).members_count == 3
