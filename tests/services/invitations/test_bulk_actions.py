"""Bulk actions on invitations: each is checked like the single action, in the preview and when applied."""

from datetime import timedelta
from typing import Any

import pytest

from invite_app import access
from invite_app.access import Actor
from invite_app.db import session, transaction
from invite_app.errors import (
    CannotGrantRole,
    DomainError,
    DomainNotAllowed,
    InvitationClosed,
    InvitationPending,
    PermissionDenied,
    RoleDeleted,
    SeatLimitReached,
    TooManyRows,
)
from invite_app.models import Invitation, InvitationState, OutboxMessage
from invite_app.models.types import now
from invite_app.services import invitations, roles
from invite_app.services.invitations import BulkAction, BulkResult, Extend, Filter, Revoke, SendAgain, bulk_actions
from invite_app.services.invitations.filters import EVERYTHING
from tests.support.factories import (
    OPERATOR,
    Acme,
    configure,
    expire,
    history,
    invite,
    make_member,
    make_role,
    reread,
    set_delivery,
)

PENDING = Filter((InvitationState.PENDING,))


def said(report: BulkResult) -> tuple[list[str], dict[str, type[DomainError]]]:
    return (
        sorted(one.email for one in report.done),
        {one.invitation.email: type(one.why) for one in report.left_out},
    )


def both(acme: Acme, action: type[BulkAction], only: Filter = EVERYTHING, by: Actor | None = None) -> Any:
    """Return the preview, after checking that it equals the result."""
    by = by or acme.owner.actor
    foretold = said(invitations.preview_bulk(acme.id, only, action(), by=by))
    assert said(invitations.apply_bulk(acme.id, only, action(), by=by)) == foretold
    return foretold


def actions(acme: Acme, invitation: Invitation) -> list[str]:
    return [event.action for event in history(invitation.id)]


class TestRevoking:
    def test_skips_closed_invitations_and_names_them(self, acme: Acme) -> None:
        first, second = invite(acme, "a@guest.example"), invite(acme, "b@guest.example")
        late = invite(acme, "late@guest.example")
        expire(late)
        done, left_out = both(acme, Revoke)
        assert done == ["a@guest.example", "b@guest.example"]
        assert left_out == {"late@guest.example": InvitationClosed}
        assert [reread(one).state for one in (first, second, late)] == ["revoked", "revoked", "expired"]
        assert actions(acme, first) == ["invitation.revoked", "invitation.sent"]

    def test_changes_only_invitations_matching_the_filter(self, acme: Acme) -> None:
        chosen, other = invite(acme, "a@guest.example"), invite(acme, "b@guest.example")
        both(acme, Revoke, Filter(invitation_ids=[str(chosen.id), "nonsense"]))
        assert (reread(chosen).state, reread(other).state) == ("revoked", "pending")

    def test_releases_a_seat_each(self, acme: Acme) -> None:
        for number in range(3):
            invite(acme, f"a{number}@guest.example")
        configure(acme, seat_limit=6)
        both(acme, Revoke, PENDING)
        invite(acme, "new@guest.example")

    def test_continues_after_a_chunk(self, acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bulk_actions, "CHUNK_SIZE", 2)
        made = [invite(acme, f"a{number}@guest.example") for number in range(5)]
        assert len(both(acme, Revoke)[0]) == 5
        assert {reread(one).state for one in made} == {"revoked"}


class TestExtending:
    def test_adds_a_week_to_each(self, acme: Acme) -> None:
        made = [invite(acme, f"{name}@guest.example") for name in "ab"]
        before = [one.expires_at for one in made]
        both(acme, Extend)
        assert [reread(one).expires_at - old for one, old in zip(made, before, strict=True)] == [
            timedelta(days=7)
        ] * 2

    def test_skips_roles_above_ones_own_and_deleted_roles(self, acme: Acme) -> None:
        make_role(acme, "Inviter", ["invitations:read", "invitations:write", "members:read"])
        inviter = make_member(acme, "inviter@acme.example", role="inviter")
        make_role(acme, "Gone", ["members:read"])
        for role in ("member", "admin", "gone"):
            invite(acme, f"{role}@guest.example", role=role)
        roles.delete(acme.id, "gone", by=OPERATOR)
        assert both(acme, Extend, by=inviter.actor) == (
            ["member@guest.example"],
            {"admin@guest.example": CannotGrantRole, "gone@guest.example": RoleDeleted},
        )


class TestResending:
    def test_queues_each_mail_and_renews_the_expiry(self, acme: Acme) -> None:
        failed = invite(acme, "a@guest.example")
        set_delivery(failed, state="failed", reason="550 no")
        both(acme, SendAgain, PENDING)
        row = session().query(OutboxMessage).filter_by(invitation_id=failed.id).one()
        assert (row.sends, row.reason, reread(failed).undelivered_at) == (2, "", None)
        assert actions(acme, failed) == ["invitation.resent", "invitation.sent"]

    def test_skips_domains_that_are_not_allowed(self, acme: Acme) -> None:
        for address in ("ana@guest.example", "bo@acme.example"):
            invite(acme, address)
        configure(acme, allowed_domains=["acme.example"])
        done, left_out = both(acme, SendAgain, PENDING)
        assert (done, left_out) == (["bo@acme.example"], {"ana@guest.example": DomainNotAllowed})

    def test_reopens_expired_invitations_while_seats_last(self, acme: Acme) -> None:
        made = [invite(acme, f"{name}@guest.example") for name in "abc"]
        for one in made:
            expire(one, timedelta(days=1))
        configure(acme, seat_limit=5)
        done, left_out = both(acme, SendAgain)
        assert (len(done), list(left_out.values())) == (2, [SeatLimitReached])
        assert sorted(reread(one).state for one in made) == ["expired", "pending", "pending"]

    def test_sends_one_of_two_expired_to_one_address(self, acme: Acme) -> None:
        for _ in range(2):
            expire(invite(acme, "a@guest.example"))
        done, left_out = both(acme, SendAgain)
        assert (done, left_out) == (["a@guest.example"], {"a@guest.example": InvitationPending})


def test_oversized_selection_is_refused(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_actions, "MAX_SELECTED", 1)
    for name in "ab":
        invite(acme, f"{name}@guest.example")
    for act in (invitations.preview_bulk, invitations.apply_bulk):
        with pytest.raises(TooManyRows):
            act(acme.id, PENDING, Revoke(), by=acme.owner.actor)


def test_without_permission_nothing_changes(acme: Acme) -> None:
    invite(acme)
    for act in (invitations.preview_bulk, invitations.apply_bulk):
        with pytest.raises(PermissionDenied):
            act(acme.id, PENDING, Revoke(), by=acme.member.actor)


class TestOrder:
    def test_needs_attention_first_covers_all_pages(self, acme: Acme) -> None:
        made = [invite(acme, f"a{number}@guest.example") for number in range(7)]
        set_delivery(made[1], state="failed", reason="550 no")
        with transaction() as writing:
            writing.get_one(Invitation, made[3].id).no_seat_at = now()
        wanted = [made[number].email for number in (3, 1, 6, 5, 4, 2, 0)]
        assert walk(acme, invitations.NEEDS_YOU_FIRST) == wanted

    def test_can_start_with_the_soonest_expiry(self, acme: Acme) -> None:
        for number in (5, 2, 9):
            invite(acme, f"a{number}@guest.example", lifetime=timedelta(days=number))
        assert walk(acme, invitations.ENDS_SOONEST) == [f"a{number}@guest.example" for number in (2, 5, 9)]

    def test_includes_deleted_roles_and_excludes_resolved_ones(self, acme: Acme) -> None:
        make_role(acme, "Gone", ["members:read"])
        stuck = invite(acme, "stuck@guest.example", role="gone")
        invite(acme, "new@guest.example")
        roles.delete(acme.id, "gone", by=OPERATOR)
        assert walk(acme, invitations.NEEDS_YOU_FIRST)[0] == "stuck@guest.example"
        invitations.edit(acme.id, stuck.id, invitations.Changes(role="member"), by=OPERATOR)
        assert walk(acme, invitations.NEEDS_YOU_FIRST)[0] == "new@guest.example"


def walk(acme: Acme, order: Any) -> list[str]:
    """Return the addresses page by page, forwards and backwards."""
    pages = [invitations.list_page(acme.id, by=acme.owner.actor, only=PENDING, order=order, limit=2)]
    while pages[-1].next:
        cursor = pages[-1].next
        pages.append(
            invitations.list_page(acme.id, by=acme.owner.actor, only=PENDING, order=order, cursor=cursor, limit=2)
        )
    if len(pages) > 1:
        back = invitations.list_page(
            acme.id, by=acme.owner.actor, only=PENDING, order=order, cursor=pages[1].previous, limit=2
        )
        assert [one.id for one in back.items] == [one.id for one in pages[0].items]
    return [one.email for page in pages for one in page.items]


@pytest.mark.parametrize(
    ("only", "change"),
    [
        (Filter(role="admin"), invitations.Changes(role="member")),
        (Filter(fragment="ana"), invitations.Changes(email="bo@guest.example")),
    ],
    ids=["role", "words"],
)
def test_invitation_changed_meanwhile_is_skipped(
    acme: Acme, monkeypatch: pytest.MonkeyPatch, only: Filter, change: invitations.Changes
) -> None:
    one = invite(acme, "ana@guest.example", "admin")
    enter = access.organization_transaction

    def edit_first(*args: Any, **options: Any) -> Any:
        monkeypatch.setattr(bulk_actions, "organization_transaction", enter)
        invitations.edit(acme.id, one.id, change, by=acme.owner.actor)
        return enter(*args, **options)

    monkeypatch.setattr(bulk_actions, "organization_transaction", edit_first)
    report = invitations.apply_bulk(acme.id, only, invitations.Revoke(), by=acme.owner.actor)
    assert (report.done, reread(one).state) == ([], "pending")
