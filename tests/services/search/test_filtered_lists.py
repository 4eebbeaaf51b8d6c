"""Members, invitations and roles, filtered and sorted as the APIs require."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from invite_app.db import transaction
from invite_app.models import User
from invite_app.models.types import now
from invite_app.services import invitations, members, organizations, roles
from tests.support.factories import OPERATOR, Acme, expire, invite, make_member, make_person, make_role

NOBODY = UUID(int=7)
OWNER, ADMIN, MEMBER = "owner@acme.example", "admin@acme.example", "member@acme.example"


@pytest.fixture
def aged(acme: Acme) -> Acme:
    """Make the owner's account a month old; the others are new."""
    with transaction() as writing:
        writing.get_one(User, acme.owner.id).created_at = now() - timedelta(days=30)
    return acme


def emails(acme: Acme, **only: Any) -> set[str]:
    page = members.list_page(acme.id, by=acme.owner.actor, only=members.Filter(**only))
    assert page.total == len(page.items)
    return {membership.user.email for membership in page.items}


class TestMembers:
    def test_by_id(self, acme: Acme) -> None:
        assert emails(acme, user_ids=[acme.owner.id, str(acme.admin.id)]) == {OWNER, ADMIN}
        assert emails(acme, without_user_ids=[acme.owner.id, "nonsense"]) == {ADMIN, MEMBER}

    @pytest.mark.parametrize(
        "only",
        [
            {"user_ids": [NOBODY]},
            {"user_ids": ["nonsense"]},
            {"emails": ["nonsense"]},
            {"emails": ["\0@acme.example"]},
            {"roles": ["boss"]},
            {"fragment": "nobody\0here"},
        ],
        ids=repr,
    )
    def test_unknown_value_finds_nobody(self, acme: Acme, only: dict[str, Any]) -> None:
        assert emails(acme, **only) == set()

    def test_by_address_ignoring_case(self, acme: Acme) -> None:
        assert emails(acme, emails=["OWNER@Acme.example", "nonsense"]) == {OWNER}

    def test_by_part_of_address_or_name_only(self, acme: Acme) -> None:
        assert emails(acme, email_fragment="ADMIN@") == {ADMIN}
        assert emails(acme, email_fragment="olivia") == set()
        assert emails(acme, name_fragment="own Oliv") == {OWNER}
        assert emails(acme, name_fragment="acme") == set()

    def test_by_the_age_of_the_account(self, aged: Acme) -> None:
        week_ago = now() - timedelta(days=7)
        assert emails(aged, account_until=week_ago) == {OWNER}
        assert emails(aged, account_since=week_ago) == {ADMIN, MEMBER}

    def test_by_family_name(self, acme: Acme) -> None:
        make_member(acme, "zoe@acme.example", given_name="Zoe", family_name="Aalto")
        page = members.list_page(acme.id, by=acme.owner.actor, order=members.BY_FAMILY_NAME)
        assert [row.user.family_name for row in page.items] == ["Aalto", "Admin", "Member", "Owner"]

    def test_removed_member_is_returned_with_organization(self, acme: Acme) -> None:
        ended = members.remove(acme.id, acme.member.id, by=acme.owner.actor)
        assert (ended.user.email, ended.role.key, ended.organization.members_count) == (MEMBER, "member", 2)


class TestInvitations:
    def test_by_address_ignoring_case(self, acme: Acme) -> None:
        invite(acme, "ana@guest.example")
        invite(acme, "bo@guest.example")
        assert self._emails(acme, email="ANA@Guest.example") == ["ana@guest.example"]
        assert self._emails(acme, email="nonsense") == []

    def test_by_the_account_at_the_address(self, acme: Acme) -> None:
        invite(acme, "ana@guest.example")
        invite(acme, "bo@guest.example")
        assert self._emails(acme, invitee_id=make_person("ana@guest.example").id) == ["ana@guest.example"]
        assert self._emails(acme, invitee_id=NOBODY) == self._emails(acme, invitee_id="nonsense") == []

    def test_by_role(self, acme: Acme, globex: Acme) -> None:
        make_role(globex, "Lead", [])
        invite(globex, "foreign@guest.example", "lead")
        invite(acme, "ana@guest.example", "admin")
        invite(acme, "bo@guest.example")
        assert self._emails(acme, role="admin") == self._emails(acme, role="org:ADMIN") == ["ana@guest.example"]
        assert self._emails(acme, role="admin", fragment="bo") == []
        assert self._emails(acme, role="lead") == self._emails(acme, role="a\0b") == []

    def test_search_accepts_every_character(self, acme: Acme) -> None:
        invite(acme, "ana@guest.example")
        assert self._emails(acme, fragment="ana\0guest") == ["ana@guest.example"]

    def test_sorted_by_address(self, acme: Acme) -> None:
        for name in ("cy", "ana", "bo"):
            invite(acme, f"{name}@guest.example")
        page = invitations.list_page(acme.id, by=acme.owner.actor, order=invitations.BY_EMAIL, offset=1)
        assert [row.email for row in page.items] == ["bo@guest.example", "cy@guest.example"]

    def test_overdue_ones_are_not_counted_as_pending(self, acme: Acme) -> None:
        expire(invite(acme, "ana@guest.example"))
        invite(acme, "bo@guest.example")
        expire(invite(acme, "cy@guest.example"))
        organization = organizations.get(acme.id, by=acme.owner.actor)
        assert (organization.pending_count, invitations.count_pending(organization)) == (2, 1)

    def _emails(self, acme: Acme, **only: Any) -> list[str]:
        page = invitations.list_page(acme.id, by=acme.owner.actor, only=invitations.Filter(**only))
        return [row.email for row in page.items]


class TestRoles:
    def test_page_by_page_in_either_order(self, acme: Acme) -> None:
        make_role(acme, "Team Lead", ["members:read"])
        page = roles.list_page(acme.id, by=acme.member.actor, order=roles.BY_NAME, offset=1, limit=2)
        assert ([role.name for role in page.items], page.total) == (["Member", "Owner"], 4)
        newest = roles.list_page(acme.id, by=acme.member.actor, limit=1)
        assert newest.items[0].name == "Team Lead"

    def test_by_part_of_name_or_key(self, acme: Acme) -> None:
        make_role(acme, "Team Lead", ["members:read"])
        found = roles.list_page(acme.id, by=acme.member.actor, fragment="LEAD team-", order=roles.BY_KEY)
        assert ([role.name for role in found.items], found.total) == (["Team Lead"], 1)

    def test_only_of_this_organization(self, acme: Acme, globex: Acme) -> None:
        make_role(globex, "Foreign", [])
        assert roles.list_page(acme.id, by=OPERATOR).total == 3
