"""Adding, listing, changing and removing members with the published client."""

from collections.abc import Callable
from typing import Any

from clerk_backend_api import Clerk
from clerk_backend_api.models import OrganizationMembership
from flask import Flask

from invite_app.db import session, transaction
from invite_app.models import OutboxMessage, User
from invite_app.services import members
from tests.support.factories import Acme, Key, Person, configure, invite, make_person, make_role, reread

from .conftest import client_error

NO_FILTERS = ["admin@acme.example", "member@acme.example", "owner@acme.example"]


def email(membership: OrganizationMembership) -> str:
    assert membership.public_user_data
    return str(membership.public_user_data.identifier)


class TestCreate:
    def test_adds_an_account_as_member(self, sdk: Clerk, app: Flask, acme: Acme, ana: Person) -> None:
        made = sdk.organization_memberships.create(
            organization_id=str(acme.id),
            user_id=str(ana.id),
            role="org:admin",
            public_metadata={"team": "a"},
            private_metadata={"plan": {"seat": 3}},
        )
        assert (email(made), made.role, made.role_name) == ("ana@guest.example", "org:admin", "Admin")
        assert (made.public_metadata, made.private_metadata) == ({"team": "a"}, {"plan": {"seat": 3}})
        assert "org:members:write" in (made.permissions or [])
        assert (made.organization.id, made.organization.members_count) == (str(acme.id), 4)
        with app.app_context():
            found = members.get(acme.id, ana.id, by=acme.owner.actor)
            assert (str(found.id), found.role.key) == (made.id, "admin")

    def test_notifies_the_person_and_closes_the_invitation(
        self, sdk: Clerk, app: Flask, acme: Acme, ana: Person
    ) -> None:
        with app.app_context():
            sent = invite(acme, ana.email)
        made = sdk.organization_memberships.create(
            organization_id=str(acme.id), user_id=str(ana.id), role="member", public_metadata=None
        )
        assert made.organization.pending_invitations_count == 0
        with app.app_context():
            assert reread(sent).state == "revoked"
            notices = session().query(OutboxMessage).filter_by(kind="added", user_id=ana.id).count()
            assert notices == 1

    def test_accepts_a_custom_role(self, sdk: Clerk, app: Flask, acme: Acme, ana: Person) -> None:
        with app.app_context():
            make_role(acme, "Team Lead", ["members:read", "invitations:read"])
        made = sdk.organization_memberships.create(
            organization_id=str(acme.id), user_id=str(ana.id), role="org:team-lead"
        )
        assert (made.role, made.permissions) == ("org:team-lead", ["org:members:read", "org:invitations:read"])

    def test_refuses_existing_members(self, sdk: Clerk, acme: Acme) -> None:
        given = {"organization_id": str(acme.id), "user_id": str(acme.member.id), "role": "member"}
        assert client_error(sdk.organization_memberships.create, **given) == (400, "already_a_member_in_organization")

    def test_refuses_unknown_users_and_roles(self, sdk: Clerk, acme: Acme, ana: Person) -> None:
        for user_id, role in (("user_2ab", "member"), (str(ana.id), "org:boss")):
            given = {"organization_id": str(acme.id), "user_id": user_id, "role": role}
            assert client_error(sdk.organization_memberships.create, **given) == (404, "resource_not_found")

    def test_refuses_unverified_accounts(self, sdk: Clerk, app: Flask, acme: Acme) -> None:
        with app.app_context():
            squatter = make_person("squatter@guest.example", is_verified=False)
        given = {"organization_id": str(acme.id), "user_id": str(squatter.id), "role": "member"}
        assert client_error(sdk.organization_memberships.create, **given) == (404, "resource_not_found")

    def test_refuses_domains_that_are_not_allowed(self, sdk: Clerk, app: Flask, acme: Acme, ana: Person) -> None:
        with app.app_context():
            configure(acme, allowed_domains=["acme.example"])
        given = {"organization_id": str(acme.id), "user_id": str(ana.id), "role": "member"}
        assert client_error(sdk.organization_memberships.create, **given) == (422, "form_param_value_invalid")

    def test_refuses_roles_above_the_callers(
        self, make_sdk: Callable[[str], Clerk], make_key: Callable[..., Key], acme: Acme, ana: Person
    ) -> None:
        weak = make_sdk(make_key("admin").secret)
        given = {"organization_id": str(acme.id), "user_id": str(ana.id), "role": "owner"}
        assert client_error(weak.organization_memberships.create, **given) == (403, "missing_organization_permission")


NARROWED: list[tuple[dict[str, Any], list[str]]] = [
    ({}, NO_FILTERS),
    ({"role": ["org:admin", "Owner", "org:nobody"]}, ["admin@acme.example", "owner@acme.example"]),
    ({"email_address": ["OWNER@acme.example", "nobody@acme.example"]}, ["owner@acme.example"]),
    ({"email_address": ["not an address"]}, []),
    ({"user_id": ["user_2ab"]}, []),
    ({"query": "oliv"}, ["owner@acme.example"]),
    ({"query": "acme.example mia"}, ["member@acme.example"]),
    ({"query": "nobody\0"}, []),
    ({"email_address_query": "MIN@"}, ["admin@acme.example"]),
    ({"name_query": "mia"}, ["member@acme.example"]),
    ({"created_at_before": 1_600_000_000_000}, []),
    ({"created_at_after": 1_600_000_000_000}, NO_FILTERS),
]
ORDERED: list[tuple[str | None, list[str]]] = [
    ("first_name", ["Adam", "Mia", "Olivia"]),
    ("+last_name", ["Adam", "Mia", "Olivia"]),
    ("-email_address", ["Olivia", "Mia", "Adam"]),
    ("created_at", ["Olivia", "Adam", "Mia"]),
    ("-created_at", ["Mia", "Adam", "Olivia"]),
    ("username", ["Olivia", "Adam", "Mia"]),
    (None, ["Mia", "Adam", "Olivia"]),
]


class TestList:
    def test_filtered(self, sdk: Clerk, acme: Acme) -> None:
        for only, expected in NARROWED:
            found = sdk.organization_memberships.list(organization_id=str(acme.id), order_by="email_address", **only)
            assert ([email(item) for item in found.data], found.total_count) == (expected, len(expected)), only

    def test_sorted(self, sdk: Clerk, acme: Acme) -> None:
        for order_by, expected in ORDERED:
            found = sdk.organization_memberships.list(organization_id=str(acme.id), order_by=order_by)
            names = [item.public_user_data.first_name for item in found.data if item.public_user_data]
            assert names == expected, order_by

    def test_by_included_or_excluded_ids(self, sdk: Clerk, acme: Acme) -> None:
        def listed(*user_ids: str) -> list[str]:
            found = sdk.organization_memberships.list(
                organization_id=str(acme.id), order_by="email_address", user_id=user_ids
            )
            return [email(item) for item in found.data]

        owner, admin = str(acme.owner.id), str(acme.admin.id)
        assert listed(owner, f"+{admin}") == ["admin@acme.example", "owner@acme.example"]
        assert listed(f"-{owner}", "-user_2ab") == ["admin@acme.example", "member@acme.example"]

    def test_paginated(self, sdk: Clerk, acme: Acme) -> None:
        pages = [
            sdk.organization_memberships.list(
                organization_id=str(acme.id), order_by="email_address", limit=2, offset=offset
            )
            for offset in (0, 2, 4)
        ]
        assert [[email(item) for item in page.data] for page in pages] == [NO_FILTERS[:2], NO_FILTERS[2:], []]
        assert {page.total_count for page in pages} == {3}


class TestUpdateAndDelete:
    def test_role_changes(self, sdk: Clerk, acme: Acme) -> None:
        changed = sdk.organization_memberships.update(
            organization_id=str(acme.id), user_id=str(acme.member.id), role="org:admin"
        )
        assert (email(changed), changed.role) == ("member@acme.example", "org:admin")
        assert changed.updated_at > changed.created_at

    def test_metadata_is_merged_and_null_removes(self, sdk: Clerk, acme: Acme) -> None:
        who: dict[str, Any] = {"organization_id": str(acme.id), "user_id": str(acme.member.id)}
        merge = sdk.organization_memberships.update_metadata
        merge(**who, public_metadata={"a": {"b": 1, "c": 2}, "d": 3}, private_metadata={"x": 1})
        merge(**who, public_metadata={"a": {"b": None, "e": {"f": 4}}})
        merged = merge(**who)
        assert merged.public_metadata == {"a": {"c": 2, "e": {"f": 4}}, "d": 3}
        assert merged.private_metadata == {"x": 1}

    def test_removed_member_is_returned(self, sdk: Clerk, acme: Acme) -> None:
        who = {"organization_id": str(acme.id), "user_id": str(acme.member.id)}
        removed = sdk.organization_memberships.delete(**who)
        assert (email(removed), removed.organization.members_count) == ("member@acme.example", 2)
        assert client_error(sdk.organization_memberships.delete, **who) == (404, "resource_not_found")
        assert client_error(sdk.organization_memberships.update, role="admin", **who) == (404, "resource_not_found")
        assert client_error(sdk.organization_memberships.update_metadata, **who) == (404, "resource_not_found")

    def test_person_can_be_removed_with_their_own_key(
        self, make_sdk: Callable[[str], Clerk], make_key: Callable[..., Key], acme: Acme
    ) -> None:
        own = make_sdk(make_key("admin", user=acme.admin).secret)
        who = {"organization_id": str(acme.id), "user_id": str(acme.admin.id)}
        assert email(own.organization_memberships.delete(**who)) == "admin@acme.example"
        assert client_error(own.organization_memberships.delete, **who) == (401, "clerk_key_invalid")


class TestElsewhere:
    def test_lists_memberships_of_the_keys_organization(self, sdk: Clerk, acme: Acme, globex: Acme) -> None:
        found = sdk.users.get_instance_organization_memberships(order_by="-first_name", limit=2)
        assert ([email(item) for item in found.data], found.total_count) == (
            ["owner@acme.example", "member@acme.example"],
            3,
        )

    def test_lists_memberships_of_one_user(self, sdk: Clerk, acme: Acme, globex: Acme) -> None:
        found = sdk.users.get_organization_memberships(user_id=str(acme.admin.id))
        assert ([item.organization.slug for item in found.data], found.total_count) == (["acme"], 1)
        for stranger in (str(globex.owner.id), "user_2ab"):
            assert sdk.users.get_organization_memberships(user_id=stranger).total_count == 0

    def test_names_may_be_missing(self, sdk: Clerk, app: Flask, acme: Acme, ana: Person) -> None:
        with app.app_context(), transaction() as writing:
            writing.get_one(User, ana.id).family_name = ""
        made = sdk.organization_memberships.create(organization_id=str(acme.id), user_id=str(ana.id), role="member")
        assert made.public_user_data
        assert (made.public_user_data.first_name, made.public_user_data.last_name) == ("Ana", None)
