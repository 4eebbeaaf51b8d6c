"""Operations of the published client beside inviting."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from trieve_py_client.exceptions import (
    ApiException,
    BadRequestException,
    ForbiddenException,
)
from trieve_py_client.models import UpdateUserOrgRoleReqPayload

from invite_app.services import invitations, members
from tests.support.factories import (
    PASSWORD,
    Acme,
    Key,
    Person,
    add_member,
    invite,
    make_role,
    reread,
    token_of,
)

from .conftest import Connect, Trieve, message_of

NOBODY = "01980000-0000-7000-8000-000000000001"


@pytest.fixture
def globex_too(app: Flask, acme: Acme, globex: Acme) -> Acme:
    """Create another organization that Acme's owner and member belong to."""
    with app.app_context():
        add_member(globex, acme.owner, role="member")
        add_member(globex, acme.member, role="admin")
    return globex


def test_deleting_an_invitation_revokes_it(trieve: Trieve, acme: Acme, app: Flask) -> None:
    with app.app_context():
        invitation_id = invite(acme).id
    trieve.invitations.delete_invitation(str(acme.id), str(invitation_id))
    assert trieve.invitations.get_invitations(str(acme.id), str(acme.id)) == []
    with app.app_context():
        assert reread(invitation_id).state == "revoked"
    with pytest.raises(BadRequestException) as error:
        trieve.invitations.delete_invitation(str(acme.id), str(invitation_id))
    assert message_of(error) == "Error getting invitation."


def test_accepted_invitation_cannot_be_deleted(trieve: Trieve, acme: Acme, app: Flask) -> None:
    with app.app_context():
        accepted = invite(acme)
        invitations.accept_with_new_account(
            token_of(accepted), invitations.NewProfile("Ana", "Guest", PASSWORD), ip=None
        )
    with pytest.raises(BadRequestException) as error:
        trieve.invitations.delete_invitation(str(acme.id), str(accepted.id))
    assert message_of(error) == "This invitation has ended: it is accepted."


def test_foreign_invitation_cannot_be_deleted(trieve: Trieve, acme: Acme, globex: Acme, app: Flask) -> None:
    with app.app_context():
        foreign = invite(globex).id
    for invitation_id in (str(foreign), NOBODY, "nonsense"):
        with pytest.raises(BadRequestException) as error:
            trieve.invitations.delete_invitation(str(acme.id), invitation_id)
        assert message_of(error) == "Error getting invitation."
    with app.app_context():
        assert reread(foreign).state == "pending"


def test_role_is_changed(trieve: Trieve, acme: Acme, app: Flask) -> None:
    for number, role in ((1, "admin"), (2, "owner"), (0, "member")):
        payload = UpdateUserOrgRoleReqPayload(user_id=str(acme.member.id), role=number)
        assert trieve.users.update_user_with_http_info(str(acme.id), payload).status_code == 204
        with app.app_context():
            assert members.get(acme.id, acme.member.id, by=acme.owner.actor).role.key == role


def test_own_role_is_changed_without_a_user_id(
    connect: Connect, cookie_of: Callable[[Person], str], acme: Acme
) -> None:
    trieve = connect(cookie=cookie_of(acme.admin))
    trieve.users.update_user(str(acme.id), UpdateUserOrgRoleReqPayload(role=0))
    assert [place.role for place in trieve.auth.get_me().user_orgs] == [0]


def test_role_change_follows_the_rules(
    connect: Connect, make_key: Callable[..., Key], acme: Acme, globex: Acme
) -> None:
    trieve = connect(make_key("admin").secret)
    cases: list[tuple[Any, int, type[ApiException], str]] = [
        (acme.member.id, 2, BadRequestException, "Can not grant a user a higher role than that of the requesting"),
        (acme.member.id, 3, BadRequestException, "Can not grant a user a higher role than that of the requesting"),
        (acme.owner.id, 0, ForbiddenException, "Forbidden"),
        (globex.member.id, 1, BadRequestException, "This person is not a member of the organization."),
    ]
    for user_id, number, kind, message in cases:
        with pytest.raises(kind) as error:
            trieve.users.update_user(str(acme.id), UpdateUserOrgRoleReqPayload(user_id=str(user_id), role=number))
        assert message in error.value.body


def test_last_owner_stays_owner(trieve: Trieve, acme: Acme) -> None:
    with pytest.raises(BadRequestException) as error:
        trieve.users.update_user(str(acme.id), UpdateUserOrgRoleReqPayload(role=0))
    assert message_of(error).startswith("The last owner cannot leave")


def test_people_have_only_this_organizations_membership(trieve: Trieve, acme: Acme, globex_too: Acme) -> None:
    people = trieve.organizations.get_organization_users(str(acme.id), str(acme.id))
    assert [person.name for person in people] == ["Adam Admin", "Mia Member", "Olivia Owner"]
    for person in people:
        (place,), (organization,) = person.user_orgs, person.orgs
        assert (place.user_id, place.organization_id) == (person.id, str(acme.id))
        assert (organization.id, organization.name, organization.deleted) == (str(acme.id), "Acme", 0)


def test_person_sees_all_organizations_key_sees_one(
    connect: Connect, trieve: Trieve, cookie_of: Callable[[Person], str], acme: Acme, globex_too: Acme
) -> None:
    person, program = connect(cookie=cookie_of(acme.owner)).auth.get_me(), trieve.auth.get_me()
    assert (person.id, person.email, person.name) == (str(acme.owner.id), "owner@acme.example", "Olivia Owner")
    assert [(place.organization_id, place.role) for place in person.user_orgs] == [
        (str(acme.id), 2),
        (str(globex_too.id), 0),
    ]
    assert [organization.name for organization in person.orgs] == ["Acme", "Globex"]
    assert [organization.name for organization in program.orgs] == ["Acme"]


def test_organization_has_no_plan_and_subscription(trieve: Trieve, acme: Acme) -> None:
    found = trieve.organizations.get_organization(str(acme.id), str(acme.id))
    assert (found.organization.id, found.organization.name) == (str(acme.id), "Acme")
    assert (found.plan, found.subscription) == (None, None)


@pytest.mark.parametrize(
    ("permissions", "number"),
    [
        (["members:read"], 0),
        (["invitations:read", "invitations:write", "members:read", "members:write"], 0),
        (
            [
                *("invitations:read", "invitations:write", "members:read", "members:write"),
                *("roles:write", "workspaces:write", "api_keys:write", "audit:read", "organization:write"),
            ],
            1,
        ),
    ],
)
def test_custom_role_is_shown_as_closest_known_role(
    trieve: Trieve, acme: Acme, app: Flask, permissions: list[str], number: int
) -> None:
    with app.app_context():
        make_role(acme, "Helpers", permissions)
        members.change_role(acme.id, acme.member.id, "Helpers", by=acme.owner.actor)
        invite(acme, role="Helpers")
    people = trieve.organizations.get_organization_users(str(acme.id), str(acme.id))
    assert [person.user_orgs[0].role for person in people] == [1, number, 2]
    assert [found.role for found in trieve.invitations.get_invitations(str(acme.id), str(acme.id))] == [number]
