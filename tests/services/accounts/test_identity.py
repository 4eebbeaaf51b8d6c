"""Actors and their memberships."""

import pytest

from invite_app.errors import Unauthenticated, UserNotFound
from invite_app.services import accounts, api_keys
from invite_app.services.accounts.identity import Identity
from tests.support.factories import OPERATOR, Acme, add_member, make_api_key, make_person


def places(identity: Identity) -> list[tuple[str, str]]:
    return [(place.organization.name, place.membership.role.key) for place in identity.places]


def test_person_has_every_membership(acme: Acme, globex: Acme) -> None:
    add_member(globex, acme.owner, role="member")
    found = accounts.get_identity(acme.owner.actor)
    assert (found.user.id, places(found)) == (acme.owner.id, [("Acme", "owner"), ("Globex", "member")])


def test_person_may_have_none(acme: Acme) -> None:
    assert places(accounts.get_identity(make_person("ana@guest.example").actor)) == []


def test_key_lists_its_own_organization_only(acme: Acme, globex: Acme) -> None:
    add_member(globex, acme.owner, role="member")
    found = accounts.get_identity(make_api_key(acme, "member").actor)
    assert (found.user.id, places(found)) == (acme.owner.id, [("Acme", "owner")])


def test_revoked_key_has_no_identity(acme: Acme) -> None:
    key = make_api_key(acme)
    api_keys.revoke(acme.id, key.id, by=OPERATOR)
    with pytest.raises(Unauthenticated):
        accounts.get_identity(key.actor)


def test_operator_has_no_identity() -> None:
    with pytest.raises(UserNotFound):
        accounts.get_identity(OPERATOR)
