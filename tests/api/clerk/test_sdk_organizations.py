"""Reading the organization and its roles with the published client."""

from collections.abc import Callable

from clerk_backend_api import Clerk
from flask import Flask

from tests.support.factories import Acme, Key, configure, expire, invite, make_role

from .conftest import client_error


def test_organization_by_id_or_slug(sdk: Clerk, app: Flask, acme: Acme) -> None:
    with app.app_context():
        configure(acme, seat_limit=20)
        invite(acme, "bo@guest.example")
        expire(invite(acme, "ana@guest.example"))
    for name in (str(acme.id), "acme"):
        found = sdk.organizations.get(organization_id=name, include_members_count=True)
        assert (found.id, found.name, found.slug) == (str(acme.id), "Acme", "acme")
        assert (found.members_count, found.pending_invitations_count, found.max_allowed_memberships) == (3, 1, 20)
        assert found.created_by == str(acme.owner.id)


def test_no_limit_is_zero(sdk: Clerk, acme: Acme) -> None:
    assert sdk.organizations.get(organization_id=str(acme.id)).max_allowed_memberships == 0


def test_foreign_organization_looks_like_an_unknown_one(sdk: Clerk, acme: Acme, globex: Acme) -> None:
    for name in (str(globex.id), "globex", "nothing", "org_2ab"):
        assert client_error(sdk.organizations.get, organization_id=name) == (404, "resource_not_found"), name


def test_roles_with_their_permissions(sdk: Clerk, app: Flask, acme: Acme, globex: Acme) -> None:
    with app.app_context():
        make_role(acme, "Team Lead", ["members:read"])
    found = sdk.organization_roles.list()
    assert found.total_count == 4
    assert found.data[0].key == "org:team-lead"
    assert {role.key: role.is_creator_eligible for role in found.data}["org:owner"]
    permission = found.data[0].permissions[0]
    assert (permission.key, permission.name) == ("org:members:read", "Read members")


def test_roles_filtered_and_sorted(sdk: Clerk, acme: Acme) -> None:
    assert [role.name for role in sdk.organization_roles.list(query="ADM").data] == ["Admin"]
    for order_by, expected in (("name", ["Member", "Owner"]), ("-key", ["Member", "Admin"])):
        page = sdk.organization_roles.list(order_by=order_by, limit=2, offset=1)
        assert ([role.name for role in page.data], page.total_count) == (expected, 3)


def test_malformed_key_is_refused(make_sdk: Callable[[str], Clerk], key: Key) -> None:
    assert client_error(make_sdk("sk_wrong").organization_roles.list) == (401, "clerk_key_invalid")
