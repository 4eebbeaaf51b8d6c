"""Inviting one or several people with the published client."""

from collections.abc import Callable
from typing import Any

import pytest
from clerk_backend_api import Clerk
from clerk_backend_api.models import OrganizationInvitation
from flask import Flask

from invite_app.db import session
from invite_app.models import OutboxMessage
from invite_app.services import invitations
from tests.support.factories import Acme, Key, configure
from tests.support.mail import SmtpServer
from tests.support.server import LiveServer

from .conftest import client_error

DAY = 24 * 60 * 60 * 1000


@pytest.fixture
def create(sdk: Clerk, acme: Acme) -> Callable[..., OrganizationInvitation]:
    """Invite Ana, unless the arguments say otherwise."""

    def create(email_address: str = "ana@guest.example", role: str = "org:member", **more: Any) -> Any:
        return sdk.organization_invitations.create(
            organization_id=str(acme.id), email_address=email_address, role=role, **more
        )

    return create


Create = Callable[..., OrganizationInvitation]


class TestCreate:
    def test_expires_in_thirty_days_and_hides_the_link(self, create: Create, app: Flask, acme: Acme) -> None:
        made = create(" Ana@Guest.example", public_metadata={"a": 1}, private_metadata={"b": [2]})
        assert (made.email_address, made.role, made.role_name) == ("ana@guest.example", "org:member", "Member")
        assert (made.status, made.url, made.organization_id) == ("pending", None, str(acme.id))
        assert (made.public_metadata, made.private_metadata) == ({"a": 1}, {"b": [2]})
        assert made.expires_at == made.created_at + 30 * DAY
        assert made.public_inviter_data
        assert (made.inviter_id, made.public_inviter_data.identifier) == (str(acme.owner.id), acme.owner.email)
        with app.app_context():
            assert session().query(OutboxMessage).count() == 1

    @pytest.mark.parametrize("days", [1, 365])
    def test_expires_after_the_given_days(self, create: Create, days: int) -> None:
        made = create(expires_in_days=days)
        assert made.expires_at == made.created_at + days * DAY

    def test_works_without_a_mail(self, create: Create, app: Flask) -> None:
        create(notify=False)
        with app.app_context():
            assert session().query(OutboxMessage).count() == 0

    def test_null_equals_missing(self, create: Create) -> None:
        made = create(
            inviter_user_id=None,
            public_metadata=None,
            private_metadata=None,
            redirect_url=None,
            expires_in_days=None,
            notify=None,
        )
        assert made.expires_at == made.created_at + 30 * DAY

    def test_in_the_name_of_a_member(self, create: Create, acme: Acme) -> None:
        made = create(inviter_user_id=str(acme.admin.id))
        assert made.public_inviter_data
        assert (made.inviter_id, made.public_inviter_data.first_name) == (str(acme.admin.id), "Adam")

    def test_only_members_who_can_invite_are_accepted(self, create: Create, acme: Acme, globex: Acme) -> None:
        for stranger in ("user_2ab", str(globex.owner.id)):
            assert client_error(create, inviter_user_id=stranger) == (404, "resource_not_found")
        weak = {"inviter_user_id": str(acme.member.id)}
        assert client_error(create, **weak) == (403, "missing_organization_permission")
        above = {"inviter_user_id": str(acme.admin.id), "role": "owner"}
        assert client_error(create, **above) == (403, "missing_organization_permission")

    def test_redirects_to_allowed_addresses_only(self, create: Create, app: Flask, acme: Acme) -> None:
        url = "https://app.acme.example/welcome"
        assert client_error(create, redirect_url=url) == (422, "form_param_value_invalid")
        with app.app_context():
            configure(acme, allowed_origins=["https://app.acme.example"])
        made = create(redirect_url=url)
        with app.app_context():
            assert invitations.get(acme.id, made.id, by=acme.owner.actor).redirect_uri == url

    def test_conflicts_are_reported(self, create: Create, app: Flask, acme: Acme) -> None:
        create("bo@guest.example")
        assert client_error(create, email_address="bo@guest.example") == (400, "duplicate_record")
        assert client_error(create, email_address="admin@acme.example") == (400, "already_a_member_in_organization")
        assert client_error(create, email_address="nobody") == (422, "form_param_format_invalid")
        assert client_error(create, role="org:boss") == (404, "resource_not_found")
        with app.app_context():
            configure(acme, seat_limit=4)
        assert client_error(create) == (403, "organization_membership_quota_exceeded")
        with app.app_context():
            configure(acme, plan="free")
        assert client_error(create) == (402, "plan_upgrade_required")

    def test_rejected_mail_stores_nothing(
        self,
        serve: Callable[..., LiveServer],
        make_sdk: Callable[[str], Clerk],
        smtp: SmtpServer,
        acme: Acme,
        key: Key,
    ) -> None:
        smtp.fail("451 4.3.0 not now")
        url = f"{serve(**smtp.environ).url}/v1"
        there = make_sdk(key.secret).organization_invitations
        given = {"organization_id": str(acme.id), "email_address": "ana@guest.example", "role": "member"}
        assert client_error(there.create, server_url=url, **given) == (400, "invitation_delivery_failed")
        assert there.list(organization_id=str(acme.id)).total_count == 0


class TestBulk:
    def test_invites_everyone(self, sdk: Clerk, acme: Acme) -> None:
        rows = [{"email_address": f"guest-{row}@guest.example", "role": "org:member"} for row in range(10)]
        made = sdk.organization_invitations.bulk_create(organization_id=str(acme.id), request_body=rows)
        assert [item.email_address for item in made.data] == [row["email_address"] for row in rows]
        assert made.total_count == 10
        assert {item.expires_at == item.created_at + 30 * DAY for item in made.data} == {True}

    def test_or_invites_no_one(self, sdk: Clerk, acme: Acme) -> None:
        good = {"email_address": "bo@guest.example", "role": "member"}
        for bad, expected in (
            ({"email_address": "nobody", "role": "member"}, (422, "form_param_format_invalid")),
            ({"email_address": "cy@guest.example", "role": "boss"}, (404, "resource_not_found")),
            ({"email_address": "BO@guest.example", "role": "member"}, (400, "duplicate_record")),
            ({"email_address": acme.member.email, "role": "member"}, (400, "already_a_member_in_organization")),
        ):
            given = {"organization_id": str(acme.id), "request_body": [good, bad]}
            assert client_error(sdk.organization_invitations.bulk_create, **given) == expected
        assert sdk.organization_invitations.list(organization_id=str(acme.id)).total_count == 0

    def test_eleven_rows_are_too_many(self, sdk: Clerk, acme: Acme) -> None:
        rows = [{"email_address": f"guest-{row}@guest.example", "role": "org:member"} for row in range(11)]
        given = {"organization_id": str(acme.id), "request_body": rows}
        assert client_error(sdk.organization_invitations.bulk_create, **given) == (400, "bulk_size_exceeded")
