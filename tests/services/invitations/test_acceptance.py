"""The invitee's side: opening the link, accepting with a new or existing account, declining."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select

from invite_app.db import session, transaction
from invite_app.errors import (
    AlreadyMember,
    EmailVerificationRequired,
    InvalidLink,
    InvalidName,
    InvalidNote,
    InvitationClosed,
    InviterNotAllowed,
    RoleDeleted,
    SignInRequired,
    WeakPassword,
    WrongAccount,
)
from invite_app.extensions import db
from invite_app.models import Invitation, Membership, Organization, User
from invite_app.services import accounts, api_keys, invitations, members, roles, workspaces
from invite_app.services.invitations import acceptance
from tests.support.factories import (
    OPERATOR,
    PASSWORD,
    Acme,
    add_member,
    configure,
    expire,
    invite,
    make_api_key,
    make_member,
    make_person,
    make_role,
    reread,
    token_of,
)

ANA = invitations.NewProfile("Ana", "Guest", PASSWORD)


def accept_as_ana(invitation: Invitation, *, copied: bool = False) -> Membership:
    return invitations.accept_with_new_account(token_of(invitation, copied=copied), ANA, ip="192.0.2.7")


class TestWithNewAccount:
    def test_accepting_twice_reports_the_invitation_as_closed(
        self, acme: Acme, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent = invite(acme, "ana@guest.example")
        seen = replace(invitations.open_link(token_of(sent)), has_account=True)
        accept_as_ana(sent)
        monkeypatch.setattr(acceptance, "open_link", lambda _token: seen)
        with pytest.raises(InvitationClosed):
            accept_as_ana(sent)

    def test_creates_an_account_and_a_membership(self, acme: Acme) -> None:
        sent = invite(acme, "ana@guest.example", "admin", workspace_ids=acme.workspaces, public_metadata={"a": 1})
        joined = accept_as_ana(sent)
        found = members.get(acme.id, joined.user_id, by=acme.owner.actor)
        assert (found.user.email, found.user.name, found.user.is_verified) == ("ana@guest.example", "Ana Guest", True)
        assert (found.role.key, [workspace.id for workspace in found.workspaces]) == ("admin", list(acme.workspaces))
        assert (found.public_metadata, found.invitation_id) == ({"a": 1}, sent.id)
        assert (reread(sent).state, reread(sent).accepted_by_id) == ("accepted", found.user_id)
        organization = session().get_one(Organization, acme.id)
        assert (organization.members_count, organization.pending_count) == (4, 0)
        assert accounts.sign_in("ana@guest.example", PASSWORD, device=accounts.Device()).user_id == found.user_id

    def test_by_copied_link_leaves_the_account_unverified(self, acme: Acme) -> None:
        assert not accept_as_ana(invite(acme), copied=True).user.is_verified

    def test_never_changes_an_existing_account(self, acme: Acme) -> None:
        person = make_person("ana@guest.example")
        sent = invite(acme, "ana@guest.example")
        before = session().get_one(User, person.id).password_hash
        with pytest.raises(SignInRequired):
            accept_as_ana(sent)
        session().expire_all()
        assert session().get_one(User, person.id).password_hash == before
        assert reread(sent).state == "pending"

    def test_concurrently_created_account_has_to_sign_in(self, acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
        sent = invite(acme, "ana@guest.example")
        make_person("ana@guest.example")
        monkeypatch.setattr(accounts, "find_by_email", lambda _: None)
        with pytest.raises(SignInRequired):
            accept_as_ana(sent)
        assert reread(sent).state == "pending"

    @pytest.mark.parametrize(
        ("profile", "error"),
        [
            (invitations.NewProfile("", "Guest", PASSWORD), InvalidName),
            (invitations.NewProfile("Ana", "", PASSWORD), InvalidName),
            (invitations.NewProfile("Ana", "Gu\nest", PASSWORD), InvalidName),
            (invitations.NewProfile("Ana", "Guest", "short"), WeakPassword),
            (invitations.NewProfile("Ana", "Guest", "a" * 20), WeakPassword),
            (invitations.NewProfile("Ana", "Guest", "correct horse" * 20), WeakPassword),
        ],
        ids=["no given name", "no family name", "line break", "short", "one letter", "long"],
    )
    def test_with_an_invalid_profile_consumes_nothing(
        self, acme: Acme, profile: invitations.NewProfile, error: type[Exception]
    ) -> None:
        sent = invite(acme)
        with pytest.raises(error):
            invitations.accept_with_new_account(token_of(sent), profile)
        assert reread(sent).state == "pending"
        assert accounts.find_by_email("ana@guest.example") is None


class TestSignedIn:
    def test_joins_with_one_confirmation(self, acme: Acme) -> None:
        person = make_person("ana@guest.example")
        sent = invite(acme, "ANA@guest.example")
        invitations.accept_with_account(token_of(sent), person.id)
        assert members.get(acme.id, person.id, by=person.actor).role.key == "member"

    def test_with_another_address_consumes_nothing_and_names_both(self, acme: Acme) -> None:
        stranger = make_person("eve@guest.example")
        sent = invite(acme, "ana@guest.example")
        with pytest.raises(WrongAccount) as error:
            invitations.accept_with_account(token_of(sent), stranger.id)
        assert (error.value.invited, error.value.signed_in) == ("ana@guest.example", "eve@guest.example")
        assert reread(sent).state == "pending"

    def test_with_an_unverified_account_needs_the_mailed_link(self, acme: Acme) -> None:
        person = make_person("ana@guest.example", is_verified=False)
        sent = invite(acme, "ana@guest.example")
        with pytest.raises(EmailVerificationRequired):
            invitations.accept_with_account(token_of(sent, copied=True), person.id)
        invitations.accept_with_account(token_of(sent), person.id)
        session().expire_all()
        assert session().get_one(User, person.id).is_verified

    def test_with_a_verified_account_accepts_a_copied_link(self, acme: Acme) -> None:
        person = make_person("ana@guest.example")
        invitations.accept_with_account(token_of(invite(acme), copied=True), person.id)

    def test_account_registered_in_advance_still_needs_verification(self, acme: Acme, globex: Acme) -> None:
        first = accept_as_ana(invite(acme), copied=True)
        with pytest.raises(EmailVerificationRequired):
            invitations.accept_with_account(token_of(invite(globex), copied=True), first.user_id)

    def test_member_is_reported_before_missing_seats(self, acme: Acme) -> None:
        person = make_person("ana@guest.example")
        sent = invite(acme, "ana@guest.example")
        add_member(acme, person)
        configure(acme, seat_limit=4)
        with pytest.raises(AlreadyMember):
            invitations.accept_with_account(token_of(sent), person.id)


class TestTwice:
    def test_creates_one_membership(self, acme: Acme) -> None:
        sent = invite(acme)
        accept_as_ana(sent)
        with pytest.raises(InvitationClosed) as error:
            accept_as_ana(sent)
        assert error.value.state == "accepted"
        assert session().scalar(select(func.count()).select_from(Membership)) == 4

    @pytest.mark.parametrize("ending", ["revoked", "declined", "expired", "accepted"])
    def test_or_too_late_reports_the_state(self, acme: Acme, ending: str) -> None:
        sent = invite(acme)
        match ending:
            case "revoked":
                invitations.revoke(acme.id, sent.id, by=acme.owner.actor)
            case "declined":
                invitations.decline(token_of(sent))
            case "expired":
                expire(sent, timedelta())
            case "accepted":
                accept_as_ana(sent)
        for action in (lambda: accept_as_ana(sent), lambda: invitations.decline(token_of(sent))):
            with pytest.raises(InvitationClosed) as error:
                action()
            assert error.value.state == ending
        assert invitations.open_link(token_of(sent)).state == ending

    def test_after_removal_the_old_link_does_not_work(self, acme: Acme) -> None:
        sent = invite(acme)
        person = accept_as_ana(sent).user_id
        members.remove(acme.id, person, by=acme.owner.actor)
        with pytest.raises(InvitationClosed):
            invitations.accept_with_account(token_of(sent), person)


class TestInviterIsCheckedAgain:
    def blocked(self, sent: Invitation) -> None:
        with pytest.raises(InviterNotAllowed):
            accept_as_ana(sent)
        assert reread(sent).state == "pending"
        assert isinstance(invitations.open_link(token_of(sent)).obstacle, InviterNotAllowed)

    def test_when_removed(self, acme: Acme) -> None:
        sent = invite(acme, by=acme.admin.actor)
        members.remove(acme.id, acme.admin.id, by=acme.owner.actor)
        self.blocked(sent)

    def test_when_demoted(self, acme: Acme) -> None:
        sent = invite(acme, by=acme.admin.actor)
        members.change_role(acme.id, acme.admin.id, "member", by=acme.owner.actor)
        self.blocked(sent)

    def test_when_only_this_role_is_no_longer_assignable(self, acme: Acme) -> None:
        second = make_member(acme, "second@acme.example", "owner")
        sent, other = invite(acme, role="owner", by=second.actor), invite(acme, "bo@guest.example", by=second.actor)
        members.change_role(acme.id, second.id, "admin", by=acme.owner.actor)
        self.blocked(sent)
        assert accept_as_ana(other).role.key == "member"

    def test_when_the_role_has_gained_permissions(self, acme: Acme) -> None:
        make_role(acme, "Lead", ["members:read"])
        sent = invite(acme, role="lead", by=acme.admin.actor)
        roles.update_role(acme.id, "lead", permissions=["members:read", "organization:write"], by=acme.owner.actor)
        self.blocked(sent)

    def test_when_the_key_was_revoked(self, acme: Acme) -> None:
        key = make_api_key(acme, "admin")
        sent = invite(acme, by=key.actor)
        api_keys.revoke(acme.id, key.id, by=acme.owner.actor)
        self.blocked(sent)

    def test_when_the_keys_user_was_removed(self, acme: Acme) -> None:
        sent = invite(acme, by=make_api_key(acme, "admin", user=acme.admin).actor)
        members.remove(acme.id, acme.admin.id, by=acme.owner.actor)
        self.blocked(sent)

    def test_but_not_when_it_was_the_operator(self, acme: Acme) -> None:
        assert accept_as_ana(invite(acme, role="owner", by=OPERATOR)).role.key == "owner"

    def test_when_promoted_it_may_be_accepted(self, acme: Acme) -> None:
        sent = invite(acme, by=acme.admin.actor)
        members.change_role(acme.id, acme.admin.id, "owner", by=acme.owner.actor)
        assert accept_as_ana(sent).role.key == "member"


class TestTargetIsCheckedAgain:
    def test_deleted_role_blocks_acceptance(self, acme: Acme) -> None:
        make_role(acme, "Lead", ["members:read"])
        sent = invite(acme, role="lead")
        roles.delete(acme.id, "lead", by=OPERATOR)
        with pytest.raises(RoleDeleted) as error:
            accept_as_ana(sent)
        assert error.value.role == "Lead"

    def test_deleted_workspace_is_skipped(self, acme: Acme) -> None:
        sent = invite(acme, workspace_ids=acme.workspaces)
        workspaces.delete(acme.id, acme.workspaces[0], by=acme.owner.actor)
        accept_as_ana(sent)
        joined = members.memberships_of(accounts.get_by_email("ana@guest.example").id)
        workspace_ids = [[workspace.id for workspace in membership.workspaces] for membership in joined]
        assert workspace_ids == [[acme.workspaces[1]]]

    def test_plan_is_not_checked(self, acme: Acme) -> None:
        sent = invite(acme)
        configure(acme, plan="free")
        assert accept_as_ana(sent).role.key == "member"


class TestDecline:
    def test_closes_it_and_keeps_the_message(self, acme: Acme) -> None:
        sent = invite(acme)
        invitations.decline(token_of(sent), word="  Wrong team,\r\nsorry ", ip="192.0.2.7")
        found = reread(sent)
        assert (found.state, found.decline_message) == ("declined", "Wrong team,\nsorry")
        assert session().get_one(Organization, acme.id).pending_count == 0

    def test_needs_no_message(self, acme: Acme) -> None:
        assert invitations.decline(token_of(invite(acme))).decline_message == ""

    def test_with_an_invalid_message_changes_nothing(self, acme: Acme) -> None:
        sent = invite(acme)
        with pytest.raises(InvalidNote):
            invitations.decline(token_of(sent), word="x" * 1001)
        assert reread(sent).state == "pending"


class TestOpeningLink:
    def test_shows_the_invitation(self, acme: Acme) -> None:
        sent = invite(acme, workspace_ids=acme.workspaces)
        offer = invitations.open_link(token_of(sent))
        assert (offer.invitation.id, offer.state, offer.has_account) == (sent.id, "pending", False)
        assert (offer.invitation.organization.name, offer.obstacle) == ("Acme", None)
        make_person("ana@guest.example")
        assert invitations.open_link(token_of(sent)).has_account

    def test_copied_link_hides_whether_an_account_exists(self, acme: Acme) -> None:
        token = token_of(invite(acme), copied=True)
        assert invitations.open_link(token).has_account is None
        make_person("ana@guest.example")
        assert invitations.open_link(token).has_account is None

    def test_writes_nothing(self, acme: Acme) -> None:
        token = token_of(invite(acme))
        session().commit()
        written: list[str] = []

        def note(_: Any, __: Any, statement: str, *___: Any) -> None:
            if not statement.startswith(("SELECT", "BEGIN")) or "IMMEDIATE" in statement:
                written.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        invitations.open_link(token)
        event.remove(db.engine, "before_cursor_execute", note)
        assert written == []

    def test_reports_an_unknown_invitation_as_invalid_link(self, acme: Acme) -> None:
        sent = invite(acme)
        token = token_of(sent)
        with transaction() as writing:
            writing.delete(writing.get_one(Invitation, sent.id))
        actions = (
            lambda: invitations.open_link(token),
            lambda: invitations.decline(token),
            lambda: invitations.accept_with_new_account(token, ANA),
            lambda: invitations.accept_with_account(token, acme.owner.id),
        )
        for action in actions:
            with pytest.raises(InvalidLink):
                action()
