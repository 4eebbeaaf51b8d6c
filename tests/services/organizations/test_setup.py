"""An owner's key creates another organization, which its user owns."""

import pytest

from invite_app.access import Actor
from invite_app.errors import InvalidName, InvalidSetting, NameTaken, OrganizationNotFound, PermissionDenied
from invite_app.models import Organization
from invite_app.models.roles import PERMISSIONS
from invite_app.services import audit, members, organizations
from tests.support.factories import OPERATOR, Acme, configure, make_api_key, make_organization, make_role


@pytest.fixture
def key(acme: Acme) -> Actor:
    return make_api_key(acme).actor


def test_it_copies_plan_limit_and_owner(acme: Acme, key: Actor) -> None:
    configure(acme, plan="free", seat_limit=12)
    made, role = organizations.create_for_key_owner(acme.id, name="Acme Labs", by=key)
    assert (made.name, made.slug, made.plan, made.seat_limit) == ("Acme Labs", "acme-labs", "free", 12)
    assert (role.organization_id, role.key) == (made.id, "owner")
    (owner,) = members.list_all(made.id, by=acme.owner.actor)
    assert (owner.user_id, owner.role.key) == (acme.owner.id, "owner")
    (event,) = audit.list_page(made.id, by=acme.owner.actor).items
    assert (event.action, event.actor_kind) == ("organization.created", "api_key")


def test_key_itself_has_no_access_to_it(acme: Acme, key: Actor) -> None:
    made, _ = organizations.create_for_key_owner(acme.id, name="Acme Labs", by=key)
    with pytest.raises(OrganizationNotFound):
        organizations.get(made.id, by=key)


def test_only_an_owners_key_may(acme: Acme) -> None:
    lower = make_api_key(acme, "admin").actor
    of_an_admin = make_api_key(acme, "owner", user=acme.admin).actor
    make_role(acme, "Deputies", PERMISSIONS)
    as_able_as_an_owner = make_api_key(acme, "deputies").actor
    for actor in (lower, of_an_admin, as_able_as_an_owner, acme.owner.actor, acme.member.actor, OPERATOR):
        with pytest.raises(PermissionDenied):
            organizations.create_for_key_owner(acme.id, name="Acme Labs", by=actor)


def test_another_organization_cannot_be_named(key: Actor) -> None:
    with pytest.raises(OrganizationNotFound):
        organizations.create_for_key_owner(make_organization("Globex").id, name="Acme Labs", by=key)


def test_free_slug_can_be_chosen(acme: Acme, key: Actor) -> None:
    made, _ = organizations.create_for_key_owner(acme.id, name="Acme Labs", slug="labs-2", by=key)
    assert made.slug == "labs-2"
    with pytest.raises(NameTaken) as error:
        organizations.create_for_key_owner(acme.id, name="Other", slug="labs-2", by=key)
    assert (error.value.kind, error.value.name) == ("slug", "labs-2")
    assert [organization.name for organization in organizations.list_all()] == ["Acme", "Acme Labs"]


@pytest.mark.parametrize("slug", ["", "Labs", "-labs", "labs-", "la--bs", "la bs", "läbs", "labs\n", "x" * 101])
def test_invalid_slug_is_refused(acme: Acme, key: Actor, slug: str) -> None:
    with pytest.raises(InvalidSetting) as error:
        organizations.create_for_key_owner(acme.id, name="Acme Labs", slug=slug, by=key)
    assert error.value.field == "slug"


def test_name_is_required(acme: Acme, key: Actor) -> None:
    with pytest.raises(InvalidName):
        organizations.create_for_key_owner(acme.id, name=" ", by=key)
    assert [type(found) for found in organizations.list_all()] == [Organization]
