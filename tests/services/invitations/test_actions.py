"""Actions on a sent invitation: resend, revoke, extend, edit, take over, copy."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from invite_app.db import session
from invite_app.errors import (
    AlreadyMember,
    CannotGrantRole,
    DomainNotAllowed,
    InvalidEmail,
    InvalidLink,
    InvitationClosed,
    InvitationPending,
    PlanUpgradeRequired,
    RedirectNotAllowed,
    RoleDeleted,
    SeatLimitReached,
    WorkspaceNotFound,
)
from invite_app.models import Organization, OutboxMessage
from invite_app.models.types import now
from invite_app.services import invitations, members, roles
from invite_app.services.invitations import Changes
from tests.support.factories import (
    OPERATOR,
    Acme,
    configure,
    expire,
    invite,
    make_api_key,
    make_role,
    reread,
    set_delivery,
    token_of,
)


def pending_count(acme: Acme) -> int:
    session().expire_all()
    return session().get_one(Organization, acme.id).pending_count


class TestResend:
    def test_sends_the_same_link_and_renews_the_expiry(self, acme: Acme) -> None:
        sent = invite(acme, lifetime=timedelta(hours=1))
        before, token = sent.created_at, token_of(sent)
        set_delivery(sent, state="failed", reason="mailbox full", attempts=6)
        again = invitations.resend(acme.id, sent.id, by=acme.admin.actor)
        assert (again.id, again.created_at, token_of(again)) == (sent.id, before, token)
        assert timedelta(days=6) < again.expires_at - now() <= timedelta(days=7)
        message = session().scalars(select(OutboxMessage)).one()
        assert (message.sends, message.reason, message.attempts) == (2, "", 0)
        assert again.inviter_id == acme.owner.id
        assert pending_count(acme) == 1

    def test_of_an_expired_one_makes_it_pending_again(self, acme: Acme) -> None:
        sent = invite(acme)
        token = token_of(sent)
        expire(sent)
        again = invitations.resend(acme.id, sent.id, by=acme.admin.actor)
        assert (again.state, again.closed_at, token_of(again)) == ("pending", None, token)
        assert again.inviter_id == acme.admin.id
        assert pending_count(acme) == 1

    def test_of_recorded_expiry_is_counted_once(self, acme: Acme) -> None:
        sent = invite(acme)
        expire(sent)
        invite(acme, "bo@guest.example")  # records its expiry
        assert reread(sent).state == "expired"
        invitations.resend(acme.id, sent.id, by=acme.admin.actor)
        assert pending_count(acme) == 2

    @pytest.mark.parametrize("ending", ["revoked", "declined", "accepted"])
    def test_of_a_closed_one_is_refused(self, acme: Acme, ending: str) -> None:
        sent = end(acme, ending)
        with pytest.raises(InvitationClosed) as error:
            invitations.resend(acme.id, sent, by=acme.owner.actor)
        assert (error.value.invitation_id, error.value.state) == (sent, ending)

    def test_with_a_deleted_role_is_refused(self, acme: Acme) -> None:
        make_role(acme, "Lead", ["members:read"])
        sent = invite(acme, role="lead")
        roles.delete(acme.id, "lead", by=OPERATOR)
        with pytest.raises(RoleDeleted):
            invitations.resend(acme.id, sent.id, by=acme.owner.actor)


class TestResendOfExpiredChecksAgain:
    def test_permissions_of_the_resender(self, acme: Acme) -> None:
        sent = invite(acme, role="owner")
        expire(sent)
        with pytest.raises(CannotGrantRole):
            invitations.resend(acme.id, sent.id, by=acme.admin.actor)
        assert reread(sent).inviter_id == acme.owner.id

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"plan": "free"}, PlanUpgradeRequired),
            ({"seat_limit": 3}, SeatLimitReached),
            ({"allowed_domains": ["acme.example"]}, DomainNotAllowed),
            ({"allowed_origins": []}, RedirectNotAllowed),
        ],
        ids=str,
    )
    def test_current_organization_settings(self, acme: Acme, change: dict[str, Any], error: type[Exception]) -> None:
        configure(acme, allowed_origins=["https://app.acme.example"])
        sent = invite(acme, redirect_uri="https://app.acme.example/in")
        expire(sent)
        configure(acme, **change)
        with pytest.raises(error):
            invitations.resend(acme.id, sent.id, by=acme.owner.actor)
        assert reread(sent).state_at(now()) == "expired"

    def test_no_other_pending_invitation(self, acme: Acme) -> None:
        old = invite(acme)
        expire(old)
        new = invite(acme)
        with pytest.raises(InvitationPending) as error:
            invitations.resend(acme.id, old.id, by=acme.owner.actor)
        assert error.value.invitation_id == new.id

    def test_person_is_not_a_member_meanwhile(self, acme: Acme) -> None:
        old = invite(acme)
        expire(old)
        accept(invite(acme))
        with pytest.raises(AlreadyMember):
            invitations.resend(acme.id, old.id, by=acme.owner.actor)


class TestRevoke:
    def test_closes_it_and_releases_the_seat(self, acme: Acme) -> None:
        sent = invite(acme)
        revoked = invitations.revoke(acme.id, sent.id, by=acme.admin.actor)
        assert (revoked.state, revoked.closed_at is not None) == ("revoked", True)
        assert pending_count(acme) == 0

    @pytest.mark.parametrize("ending", ["revoked", "declined", "accepted", "expired"])
    def test_of_a_closed_one_is_refused(self, acme: Acme, ending: str) -> None:
        sent = end(acme, ending)
        with pytest.raises(InvitationClosed) as error:
            invitations.revoke(acme.id, sent, by=acme.owner.actor)
        assert error.value.state == ending
        assert pending_count(acme) in (0, 1)


class TestEdit:
    def test_changes_role_workspaces_note_and_keeps_the_link(self, acme: Acme) -> None:
        sent = invite(acme, workspace_ids=acme.workspaces[:1])
        token = token_of(sent)
        changes = Changes(role="admin", workspace_ids=acme.workspaces[1:], note="New note")
        invitations.edit(acme.id, sent.id, changes, by=acme.owner.actor)
        found = invitations.get(acme.id, sent.id, by=acme.owner.actor)
        assert (found.role.key, found.role_name, found.note) == ("admin", "Admin", "New note")
        assert [workspace.id for workspace in found.workspaces] == list(acme.workspaces[1:])
        assert token_of(sent) == token
        assert session().scalars(select(OutboxMessage.sends)).one() == 1

    def test_new_address_gets_a_new_link_by_mail(self, acme: Acme) -> None:
        sent = invite(acme, "ana@guest.example", lifetime=timedelta(hours=1))
        mailed, copied = token_of(sent), token_of(sent, copied=True)
        changed = invitations.edit(acme.id, sent.id, Changes(email="Bo@Guest.example"), by=acme.owner.actor)
        assert (changed.email, changed.link_copied) == ("bo@guest.example", False)
        assert changed.expires_at - now() > timedelta(days=6)
        for old in (mailed, copied):
            with pytest.raises(InvalidLink):
                invitations.open_link(old)
        assert invitations.open_link(token_of(sent)).invitation.email == "bo@guest.example"
        assert session().scalars(select(OutboxMessage.sends)).one() == 2
        assert pending_count(acme) == 1

    def test_same_address_in_another_case_keeps_the_link(self, acme: Acme) -> None:
        sent = invite(acme, "ana@guest.example")
        token = token_of(sent)
        invitations.edit(acme.id, sent.id, Changes(email="ANA@guest.example"), by=acme.owner.actor)
        assert token_of(sent) == token

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            (Changes(email="no"), InvalidEmail),
            (Changes(email="member@acme.example"), AlreadyMember),
            (Changes(email="bo@guest.example"), InvitationPending),
            (Changes(email="bo@globex.example"), DomainNotAllowed),
            (Changes(workspace_ids=["nonsense"]), WorkspaceNotFound),
            (Changes(role="owner"), CannotGrantRole),
            (Changes(role="owner", email="member@acme.example"), CannotGrantRole),
            (Changes(role="owner", email="no"), InvalidEmail),
        ],
        ids=str,
    )
    def test_refused_edit_changes_nothing(self, acme: Acme, changes: Changes, error: type[Exception]) -> None:
        configure(acme, allowed_domains=["guest.example", "acme.example"])
        sent = invite(acme, "ana@guest.example")
        invite(acme, "bo@guest.example")
        with pytest.raises(error):
            invitations.edit(acme.id, sent.id, changes, by=acme.admin.actor)
        found = invitations.get(acme.id, sent.id, by=acme.owner.actor)
        assert (found.email, found.role_name, found.workspaces) == ("ana@guest.example", "Member", [])

    def test_with_a_role_above_ones_own_is_refused(self, acme: Acme) -> None:
        sent = invite(acme, role="owner")
        for changes in (Changes(role="member"), Changes(note="x"), Changes(email="eve@guest.example")):
            with pytest.raises(CannotGrantRole):
                invitations.edit(acme.id, sent.id, changes, by=acme.admin.actor)

    def test_assigns_a_role_after_its_role_was_deleted(self, acme: Acme) -> None:
        make_role(acme, "Lead", ["members:read"])
        sent = invite(acme, role="lead")
        roles.delete(acme.id, "lead", by=OPERATOR)
        with pytest.raises(RoleDeleted):
            invitations.edit(acme.id, sent.id, Changes(note="x"), by=acme.owner.actor)
        assert invitations.edit(acme.id, sent.id, Changes(role="member"), by=acme.owner.actor).role_name == "Member"

    def test_new_address_is_refused_on_the_free_plan(self, acme: Acme) -> None:
        sent = invite(acme)
        configure(acme, plan="free")
        with pytest.raises(PlanUpgradeRequired):
            invitations.edit(acme.id, sent.id, Changes(email="bo@guest.example"), by=acme.owner.actor)


class TestExtendTakeOverAndCopy:
    def test_extending_adds_a_week_up_to_a_year(self, acme: Acme) -> None:
        sent = invite(acme, lifetime=timedelta(hours=1))
        longer = invitations.extend(acme.id, sent.id, by=acme.admin.actor)
        assert timedelta(days=7) < longer.expires_at - now() < timedelta(days=7, hours=1)
        year = invite(acme, "bo@guest.example", lifetime=timedelta(days=365))
        assert invitations.extend(acme.id, year.id, by=acme.admin.actor).expires_at - now() <= timedelta(days=365)

    def test_taking_over_unblocks_a_former_admins_invitation(self, acme: Acme) -> None:
        sent = invite(acme, by=acme.admin.actor)
        members.remove(acme.id, acme.admin.id, by=acme.owner.actor)
        invitations.take_over(acme.id, sent.id, by=acme.owner.actor)
        assert accept(sent).role.key == "member"

    def test_copying_marks_the_invitation(self, acme: Acme) -> None:
        sent = invite(acme)
        token = token_of(sent, copied=True, by=acme.admin.actor)
        assert token in invitations.copy_link(acme.id, sent.id, by=acme.admin.actor)
        assert reread(sent).link_copied

    @pytest.mark.parametrize("action", ["resend", "extend", "take_over", "copy_link"])
    def test_all_need_permission_to_assign_the_role(self, acme: Acme, action: str) -> None:
        sent = invite(acme, role="owner")
        key = make_api_key(acme, "admin")
        for actor in (acme.admin.actor, key.actor):
            with pytest.raises(CannotGrantRole):
                getattr(invitations, action)(acme.id, sent.id, by=actor)

    @pytest.mark.parametrize("action", ["extend", "take_over", "copy_link"])
    @pytest.mark.parametrize("ending", ["revoked", "declined", "accepted", "expired"])
    def test_all_need_a_pending_invitation(self, acme: Acme, action: str, ending: str) -> None:
        sent = end(acme, ending)
        with pytest.raises(InvitationClosed):
            getattr(invitations, action)(acme.id, sent, by=acme.owner.actor)


def accept(invitation: Any) -> Any:
    profile = invitations.NewProfile("Ana", "Guest", "correct horse battery staple")
    return invitations.accept_with_new_account(token_of(invitation), profile)


def end(acme: Acme, ending: str) -> Any:
    """Close an invitation in this way; return its id."""
    sent = invite(acme)
    match ending:
        case "revoked":
            invitations.revoke(acme.id, sent.id, by=acme.owner.actor)
        case "declined":
            invitations.decline(token_of(sent))
        case "accepted":
            accept(sent)
        case "expired":
            expire(sent)
    return sent.id
