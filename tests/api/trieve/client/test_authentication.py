"""Authentication and permissions of the published client."""

from collections.abc import Callable
from typing import Any

import pytest
from trieve_py_client.exceptions import (
    BadRequestException,
    ForbiddenException,
    NotFoundException,
    UnauthorizedException,
)
from trieve_py_client.models import InvitationData, UpdateUserOrgRoleReqPayload

from tests.support.factories import Acme, Key, Person

from .conftest import Connect, Trieve, message_of

NOBODY = "01980000-0000-7000-8000-000000000001"


def test_key_is_accepted_in_three_forms(connect: Connect, key: Key, acme: Acme) -> None:
    ways = [connect(key.secret), connect(key.secret, prefix="Bearer"), connect(X_API_KEY=key.secret)]
    assert {way.auth.get_me().id for way in ways} == {str(acme.owner.id)}


def test_session_works_like_a_key(
    connect: Connect, cookie_of: Callable[[Person], str], acme: Acme, ana: InvitationData
) -> None:
    trieve = connect(cookie=cookie_of(acme.admin))
    organization = str(acme.id)
    trieve.invitations.post_invitation(organization, ana)
    (invitation,) = trieve.invitations.get_invitations(organization, organization)
    trieve.invitations.delete_invitation(organization, invitation.id)
    trieve.users.update_user(organization, UpdateUserOrgRoleReqPayload(user_id=str(acme.member.id), role=1))
    people = trieve.organizations.get_organization_users(organization, organization)
    assert {person.email: person.user_orgs[0].role for person in people} == {
        "owner@acme.example": 2,
        "admin@acme.example": 1,
        "member@acme.example": 1,
    }
    assert trieve.organizations.get_organization(organization, organization).organization.name == "Acme"
    assert trieve.auth.get_me().email == "admin@acme.example"
    with pytest.raises(BadRequestException) as error:
        trieve.invitations.post_invitation(organization, ana.model_copy(update={"email": "admin@acme.example"}))
    assert message_of(error) == "Can not invite yourself"


EVERYTHING: dict[str, Callable[[Trieve, str, InvitationData], Any]] = {
    "post_invitation": lambda trieve, org, ana: trieve.invitations.post_invitation(org, ana),
    "get_invitations": lambda trieve, org, _: trieve.invitations.get_invitations(org, org),
    "delete_invitation": lambda trieve, org, _: trieve.invitations.delete_invitation(org, NOBODY),
    "get_organization": lambda trieve, org, _: trieve.organizations.get_organization(org, org),
    "get_organization_users": lambda trieve, org, _: trieve.organizations.get_organization_users(org, org),
    "update_user": lambda trieve, org, _: trieve.users.update_user(
        org, UpdateUserOrgRoleReqPayload(user_id=NOBODY, role=0)
    ),
}


@pytest.mark.parametrize("name", [*EVERYTHING, "get_me"])
def test_anonymous_caller_may_do_nothing(connect: Connect, acme: Acme, ana: InvitationData, name: str) -> None:
    everything = {**EVERYTHING, "get_me": lambda trieve, *_: trieve.auth.get_me()}
    for trieve in (connect(), connect("sk_unknown"), connect(cookie="session=made-up")):
        with pytest.raises(UnauthorizedException) as error:
            everything[name](trieve, str(acme.id), ana)
        assert error.value.body == '{"message":"Unauthorized"}'


@pytest.mark.parametrize("name", EVERYTHING)
def test_foreign_organization_looks_like_an_unknown_one(
    connect: Connect, foreign_key: Key, acme: Acme, ana: InvitationData, name: str
) -> None:
    bodies = set()
    for organization_id in (str(acme.id), NOBODY):
        with pytest.raises(NotFoundException) as error:
            EVERYTHING[name](connect(foreign_key.secret), organization_id, ana)
        bodies.add(error.value.body)
    assert bodies == {'{"message":"Not Found: Organization not found"}'}


@pytest.mark.parametrize("name", sorted(EVERYTHING.keys() - {"get_organization", "get_organization_users"}))
def test_member_may_only_list_people(
    connect: Connect, make_key: Callable[..., Key], acme: Acme, ana: InvitationData, name: str
) -> None:
    with pytest.raises(ForbiddenException) as error:
        EVERYTHING[name](connect(make_key("member").secret), str(acme.id), ana)
    assert error.value.body == '{"message":"Forbidden"}'
