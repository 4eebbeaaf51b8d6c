"""Sending an invitation: recipients, roles, inviters, and errors."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from invite_app.db import session
from invite_app.errors import (
    AlreadyMember,
    CannotInviteYourself,
    DomainNotAllowed,
    InvalidEmail,
    InvalidLifetime,
    InvalidMetadata,
    InvalidName,
    InvalidNote,
    InvitationPending,
    OrganizationNotFound,
    PermissionDenied,
    PlanUpgradeRequired,
    RedirectNotAllowed,
    RoleNotFound,
    WorkspaceNotFound,
)
from invite_app.models import Invitation, Organization, OutboxMessage
from invite_app.models.types import now
from invite_app.services import invitations, organizations, workspaces
from tests.support.factories import (
    OPERATOR,
    Acme,
    configure,
    expire,
    invite,
    make_api_key,
    make_person,
    make_role,
    reread,
    token_of,
)

NOWHERE = UUID(int=7)


def rows(model: type[Any]) -> int:
    return session().scalar(select(func.count()).select_from(model)) or 0


class TestInvitation:
    def test_is_pending_with_all_given_values(self, acme: Acme) -> None:
        sent = invite(
            acme,
            " Ana@Guest.example",
            "Admin",
            given_name="Ana",
            family_name="Guest",
            workspace_ids=[str(acme.workspaces[1])],
            note="Welcome\nAna",
            lifetime=timedelta(hours=2),
            public_metadata={"team": "a"},
            private_metadata={"plan": 3},
        )
        found = invitations.get(acme.id, sent.id, by=acme.owner.actor)
        assert (found.email, found.name, found.note) == ("ana@guest.example", "Ana Guest", "Welcome\nAna")
        assert (found.state, found.role_name, found.role.key) == ("pending", "Admin", "admin")
        assert [workspace.id for workspace in found.workspaces] == [acme.workspaces[1]]
        assert timedelta(minutes=119) < found.expires_at - now() <= timedelta(hours=2)
        assert (found.public_metadata, found.private_metadata) == ({"team": "a"}, {"plan": 3})
        assert (found.inviter_kind, found.inviter_id, found.inviter_name) == ("person", acme.owner.id, "Olivia Owner")

    def test_expires_after_the_organizations_lifetime(self, acme: Acme) -> None:
        configure(acme, invitation_lifetime=timedelta(days=30))
        sent = invite(acme)
        assert sent.expires_at - sent.created_at == timedelta(days=30)
        assert now() - timedelta(minutes=1) < sent.created_at <= now()

    def test_needs_no_names(self, acme: Acme) -> None:
        assert invite(acme).name == ""

    def test_is_committed_together_with_its_message(self, acme: Acme) -> None:
        sent = invite(acme)
        message = session().scalars(select(OutboxMessage)).one()
        assert message.invitation_id == sent.id

    def test_without_notification_has_a_link_but_no_message(self, acme: Acme) -> None:
        sent = invite(acme, notify=False)
        assert rows(OutboxMessage) == 0
        link = invitations.copy_link(acme.id, sent.id, by=acme.owner.actor)
        assert link == "http://localhost/invitations/" + token_of(sent, copied=True, by=acme.owner.actor)

    def test_without_notification_is_queued_when_resent(self, acme: Acme) -> None:
        sent = invite(acme, notify=False)
        invitations.resend(acme.id, sent.id, by=acme.owner.actor)
        assert session().scalars(select(OutboxMessage)).one().lease is None

    def test_names_the_key_that_sent_it(self, acme: Acme) -> None:
        key = make_api_key(acme, "admin", user=acme.admin)
        sent = invite(acme, by=key.actor)
        assert (sent.inviter_kind, sent.inviter_key_id, sent.inviter_id) == ("key", key.id, acme.admin.id)

    def test_by_the_operator_names_the_organization(self, acme: Acme) -> None:
        sent = invite(acme, by=OPERATOR)
        assert (sent.inviter_kind, sent.inviter_id, sent.inviter_name) == ("operator", None, "Acme")

    @pytest.mark.parametrize("role", ["member", "Member", " MEMBER ", "org:member", "ORG:Member"])
    def test_accepts_role_key_or_name_ignoring_case(self, acme: Acme, role: str) -> None:
        assert invite(acme, role=role).role.key == "member"

    def test_accepts_a_custom_role_by_name(self, acme: Acme) -> None:
        make_role(acme, "Team Lead", ["members:read"])
        assert invite(acme, role="org:team-lead").role_name == "Team Lead"
        assert invite(acme, "bo@guest.example", role="TEAM lead").role_name == "Team Lead"


WRONG: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"email": "straße@guest.example"}, InvalidEmail),
    ({"email": "ana"}, InvalidEmail),
    ({"role": "boss"}, RoleNotFound),
    ({"role": ""}, RoleNotFound),
    ({"role": "org:"}, RoleNotFound),
    ({"role": "member\x00"}, RoleNotFound),
    ({"role": "member\ud800"}, RoleNotFound),
    ({"given_name": ""}, InvalidName),
    ({"family_name": "a\nb"}, InvalidName),
    ({"note": "x" * 1001}, InvalidNote),
    ({"lifetime": timedelta(0)}, InvalidLifetime),
    ({"lifetime": timedelta(minutes=59)}, InvalidLifetime),
    ({"lifetime": timedelta(days=366)}, InvalidLifetime),
    ({"workspace_ids": [NOWHERE]}, WorkspaceNotFound),
    ({"workspace_ids": ["nonsense"]}, WorkspaceNotFound),
    ({"workspace_ids": ["\x00"]}, WorkspaceNotFound),
    ({"redirect_uri": "https://evil.example/"}, RedirectNotAllowed),
    ({"app_url": "https://evil.example/"}, RedirectNotAllowed),
    ({"public_metadata": {"a": "\x00"}}, InvalidMetadata),
    ({"private_metadata": {"\ud800": 1}}, InvalidMetadata),
    ({"private_metadata": {"a": float("nan")}}, InvalidMetadata),
    ({"private_metadata": {"a": "x" * 10_000}}, InvalidMetadata),
]


@pytest.mark.parametrize(("draft", "error"), WRONG, ids=lambda value: ascii(value)[:40])
def test_invalid_value_stores_nothing(acme: Acme, draft: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        invite(acme, **draft)
    assert (rows(Invitation), rows(OutboxMessage)) == (0, 0)
    assert session().get_one(Organization, acme.id).pending_count == 0


class TestDuplicates:
    def test_member_is_not_invited_again(self, acme: Acme) -> None:
        with pytest.raises(AlreadyMember) as error:
            invite(acme, "MEMBER@acme.example")
        assert (error.value.email, error.value.user_id) == ("member@acme.example", acme.member.id)

    def test_nobody_can_invite_themselves(self, acme: Acme) -> None:
        for actor in (acme.owner.actor, make_api_key(acme, "admin").actor):
            with pytest.raises(CannotInviteYourself) as error:
                invite(acme, "OWNER@acme.example", by=actor)
            assert isinstance(error.value, AlreadyMember)
        with pytest.raises(AlreadyMember) as somebody_else:
            invite(acme, "owner@acme.example", by=acme.admin.actor)
        assert type(somebody_else.value) is AlreadyMember

    def test_pending_address_is_refused_ignoring_case(self, acme: Acme) -> None:
        first = invite(acme, "ana@guest.example")
        with pytest.raises(InvitationPending) as error:
            invite(acme, "ANA@GUEST.example")
        assert (error.value.invitation_id, error.value.invited_at) == (first.id, first.created_at)
        assert rows(Invitation) == 1

    def test_expired_invitation_does_not_block_a_new_one(self, acme: Acme) -> None:
        first = invite(acme)
        expire(first)
        second = invite(acme)
        assert (reread(first).state, reread(second).state) == ("expired", "pending")
        assert reread(first).closed_at == reread(first).expires_at
        assert session().get_one(Organization, acme.id).pending_count == 1

    def test_revoked_invitation_does_not_block_a_new_one(self, acme: Acme) -> None:
        invitations.revoke(acme.id, invite(acme).id, by=acme.owner.actor)
        assert invite(acme).state == "pending"

    def test_another_organization_may_invite_the_same_address(self, acme: Acme, globex: Acme) -> None:
        invite(acme, "ana@guest.example")
        assert invite(globex, "ana@guest.example").state == "pending"
        assert invite(globex, "member@acme.example").state == "pending"

    def test_account_without_membership_can_be_invited(self, acme: Acme) -> None:
        make_person("ana@guest.example")
        assert invite(acme, "ana@guest.example").state == "pending"


class TestPlanDomainsAndOrigins:
    def test_free_plan_cannot_invite(self, acme: Acme) -> None:
        organizations.change(acme.id, organizations.Changes(plan="free"), by=OPERATOR)
        with pytest.raises(PlanUpgradeRequired):
            invite(acme, by=OPERATOR)

    def test_lower_plan_closes_no_invitation(self, acme: Acme) -> None:
        sent = invite(acme)
        organizations.change(acme.id, organizations.Changes(plan="free"), by=OPERATOR)
        assert invitations.resend(acme.id, sent.id, by=acme.owner.actor).state == "pending"

    def test_only_allowed_domains_are_invited(self, acme: Acme) -> None:
        configure(acme, allowed_domains=["acme.example", "xn--bcher-kva.example"])
        with pytest.raises(DomainNotAllowed):
            invite(acme, "ana@guest.example")
        assert invite(acme, "ana@BÜCHER.example").state == "pending"

    @pytest.mark.parametrize(
        "url",
        [
            "https://app.acme.example/welcome?a=b",
            "HTTPS://APP.acme.example:443/",
            "http://[::1]:3000/x",
            "http://localhost/members",
        ],
    )
    def test_allowed_origin_is_accepted_unchanged(self, acme: Acme, url: str) -> None:
        configure(acme, allowed_origins=["https://app.acme.example", "http://[::1]:3000"])
        assert invite(acme, redirect_uri=url, app_url=url).redirect_uri == url

    @pytest.mark.parametrize(
        "url",
        [
            *("http://app.acme.example/", "https://app.acme.example:8443/", "https://acme.example/", "http://[::1]/"),
            *(
                "https://app.acme.example@evil.example/",
                "https://ana@app.acme.example/",
                "https://app.acme.example\\@x",
            ),
            *("https://app.acme.example.evil.example/", "//app.acme.example", "/members", "javascript:alert(1)", ""),
            "https://app.acme.example/" + "x" * 2000,
        ],
    )
    def test_other_origins_are_refused(self, acme: Acme, url: str) -> None:
        configure(acme, allowed_origins=["https://app.acme.example", "http://[::1]:3000"])
        for name in ("redirect_uri", "app_url"):
            with pytest.raises(RedirectNotAllowed) as error:
                invite(acme, **{name: url})
            assert error.value.url == url


class TestForbidden:
    def test_without_the_permission(self, acme: Acme) -> None:
        with pytest.raises(PermissionDenied):
            invite(acme, by=acme.member.actor)

    def test_from_another_organization(self, acme: Acme, globex: Acme) -> None:
        with pytest.raises(OrganizationNotFound):
            invite(acme, by=globex.owner.actor)

    @pytest.mark.parametrize("organization_id", ["", "nonsense", NOWHERE, str(NOWHERE)])
    def test_into_an_unknown_organization(self, acme: Acme, organization_id: Any) -> None:
        draft = invitations.Draft("ana@guest.example", "member")
        for actor in (acme.owner.actor, OPERATOR):
            with pytest.raises(OrganizationNotFound):
                invitations.send(organization_id, draft, by=actor)

    def test_deleted_workspace_cannot_be_given(self, acme: Acme) -> None:
        workspaces.delete(acme.id, acme.workspaces[0], by=OPERATOR)
        with pytest.raises(WorkspaceNotFound) as error:
            invite(acme, workspace_ids=[acme.workspaces[1], acme.workspaces[0]])
        assert error.value.index == 1
