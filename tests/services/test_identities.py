"""Who an actor is, and where."""

import pytest

from invite_app.errors import Unauthenticated, UserUnknown
from invite_app.services import api_keys, identities
from invite_app.services.identities import Identity
from tests.support.factories import OPERATOR, Acme, add_member, make_api_key, make_person


def places(identity: Identity) -> list[tuple[str, str]]:
    return [(place.organization.name, place.membership.role.key) for place in identity.places]


def test_a_person_has_every_place(acme: Acme, globex: Acme) -> None:
    add_member(globex, acme.owner, role="member")
    found = identities.get(acme.owner.actor)
    assert (found.user.id, places(found)) == (acme.owner.id, [("Acme", "owner"), ("Globex", "member")])


def test_a_person_may_have_none(acme: Acme) -> None:
    assert places(identities.get(make_person("ana@guest.example").actor)) == []


def test_a_key_knows_of_its_own_organization_only(acme: Acme, globex: Acme) -> None:
    add_member(globex, acme.owner, role="member")
    found = identities.get(make_api_key(acme, "member").actor)
    assert (found.user.id, places(found)) == (acme.owner.id, [("Acme", "owner")])


def test_a_revoked_key_is_nobody(acme: Acme) -> None:
    key = make_api_key(acme)
    api_keys.revoke(acme.id, key.id, by=OPERATOR)
    with pytest.raises(Unauthenticated):
        identities.get(key.actor)


def test_the_operator_is_nobody_in_particular() -> None:
    with pytest.raises(UserUnknown):
        identities.get(OPERATOR)
