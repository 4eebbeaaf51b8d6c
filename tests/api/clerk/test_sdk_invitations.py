"""Listing and revoking invitations with the published client."""

import pytest
from clerk_backend_api import Clerk
from clerk_backend_api.models import ListOrganizationInvitationsQueryParamStatus
from flask import Flask

from invite_app.services import invitations
from invite_app.services.invitations import NewProfile
from tests.support.factories import Acme, Person, expire, invite, reread, token_of

from .conftest import client_error

PROFILE = NewProfile("Ana", "Guest", "a long enough password")


@pytest.fixture
def five(app: Flask, acme: Acme) -> list[str]:
    """Create one invitation per state, by age: pending, expired (unrecorded), accepted, declined, revoked."""
    with app.app_context():
        sent = [invite(acme, f"{name}@guest.example") for name in ("eve", "dan", "cy", "bo", "ana")]
        expire(sent[1])
        invitations.accept_with_new_account(token_of(sent[2]), PROFILE)
        invitations.decline(token_of(sent[3]))
        invitations.revoke(acme.id, sent[4].id, by=acme.owner.actor)
        return [str(item.id) for item in sent]


class TestListing:
    def test_by_status(self, sdk: Clerk, acme: Acme, five: list[str]) -> None:
        for status, expected in (
            ("pending", {five[0]}),
            ("expired", {five[1]}),
            ("accepted", {five[2]}),
            ("revoked", {five[3], five[4]}),
        ):
            found = sdk.organization_invitations.list(
                organization_id=str(acme.id), status=ListOrganizationInvitationsQueryParamStatus(status)
            )
            assert ({item.id for item in found.data}, found.total_count) == (expected, len(expected))
            assert {(item.status, item.url) for item in found.data} == {(status, None)}

    def test_sorted_and_paginated(self, sdk: Clerk, acme: Acme, five: list[str]) -> None:
        everything = sdk.organization_invitations.list
        assert [item.id for item in everything(organization_id=str(acme.id)).data] == five[::-1]
        for order_by, expected in (("created_at", five), ("+email_address", five[::-1]), ("-email_address", five)):
            page = everything(organization_id=str(acme.id), order_by=order_by, limit=2, offset=1)
            assert ([item.id for item in page.data], page.total_count) == (expected[1:3], 5)

    def test_by_address_ignoring_case(self, sdk: Clerk, acme: Acme, five: list[str]) -> None:
        found = sdk.organization_invitations.list(organization_id=str(acme.id), email_address="DAN@guest.example")
        assert [item.id for item in found.data] == [five[1]]

    def test_only_pending_ones(self, sdk: Clerk, acme: Acme, five: list[str]) -> None:
        with pytest.deprecated_call():
            found = sdk.organization_invitations.list_pending(organization_id=str(acme.id))
        assert ([item.id for item in found.data], found.total_count) == ([five[0]], 1)

    def test_single_invitation(self, sdk: Clerk, acme: Acme, five: list[str]) -> None:
        found = sdk.organization_invitations.get(organization_id=str(acme.id), invitation_id=five[3])
        assert (found.email_address, found.status) == ("bo@guest.example", "revoked")
        nothing = {"organization_id": str(acme.id), "invitation_id": "orginv_2ab"}
        assert client_error(sdk.organization_invitations.get, **nothing) == (404, "organization_invitation_not_found")

    def test_all_of_the_keys_organization(self, sdk: Clerk, app: Flask, globex: Acme, five: list[str]) -> None:
        with app.app_context():
            invite(globex, "elsewhere@guest.example")
        found = sdk.organization_invitations.get_all(query="guest", order_by="created_at", limit=3)
        assert ([item.id for item in found.data], found.total_count) == (five[:3], 5)
        assert found.data[0].public_organization_data
        assert found.data[0].public_organization_data.slug == "acme"

    def test_all_of_one_user(self, sdk: Clerk, app: Flask, ana: Person, globex: Acme, five: list[str]) -> None:
        with app.app_context():
            invite(globex, ana.email)
        found = sdk.users.get_organization_invitations(user_id=str(ana.id))
        assert [(item.id, item.status) for item in found.data] == [(five[4], "revoked")]
        for stranger in (str(globex.owner.id), "user_2ab"):
            assert sdk.users.get_organization_invitations(user_id=stranger).total_count == 0


class TestRevoke:
    def test_closes_the_invitation_once(self, sdk: Clerk, app: Flask, acme: Acme) -> None:
        with app.app_context():
            sent = invite(acme)
        which = {"organization_id": str(acme.id), "invitation_id": str(sent.id)}
        revoked = sdk.organization_invitations.revoke(**which)
        assert (revoked.id, revoked.status) == (str(sent.id), "revoked")
        assert client_error(sdk.organization_invitations.revoke, **which) == (
            404,
            "organization_invitation_not_pending",
        )
        with app.app_context():
            assert reread(sent).state == "revoked"

    def test_expired_invitation_is_not_pending(self, sdk: Clerk, acme: Acme, five: list[str]) -> None:
        which = {"organization_id": str(acme.id), "invitation_id": five[1]}
        expected = (404, "organization_invitation_not_pending")
        assert client_error(sdk.organization_invitations.revoke, **which) == expected

    def test_in_the_name_of_a_member(self, sdk: Clerk, app: Flask, acme: Acme) -> None:
        with app.app_context():
            sent = invite(acme)
        which = {"organization_id": str(acme.id), "invitation_id": str(sent.id)}
        revoke = sdk.organization_invitations.revoke
        assert client_error(revoke, requesting_user_id="user_2ab", **which) == (404, "resource_not_found")
        weak = client_error(revoke, requesting_user_id=str(acme.member.id), **which)
        assert weak == (403, "missing_organization_permission")
        assert revoke(requesting_user_id=str(acme.admin.id), **which).status == "revoked"
