"""Allowed domains apply to directly added members and to invitations that were sent before."""

from typing import Any

import pytest
from sqlalchemy import select

from invite_app.access import authorize
from invite_app.db import session
from invite_app.errors import DomainNotAllowed
from invite_app.models import Invitation
from invite_app.models.types import now
from invite_app.services import invitations, members, organizations
from invite_app.services.invitations import Filter, StatusReason, status
from invite_app.services.invitations.filters import conditions
from invite_app.services.organizations import Changes
from tests.support.factories import (
    PASSWORD,
    Acme,
    configure,
    expire,
    invite,
    make_member,
    make_person,
    make_role,
    reread,
    token_of,
)

ANA = invitations.NewProfile("Ana", "Guest", PASSWORD)


def narrow(acme: Acme, *domains: str) -> None:
    organizations.change(acme.id, Changes(allowed_domains=domains), by=acme.owner.actor)


def needing(acme: Acme) -> set[str]:
    """Return the addresses that need attention, on which the row, the SQL filter and the count must agree."""
    principal, moment = authorize(acme.owner.actor, acme.id), now()
    everything = invitations.list_all(acme.id, by=acme.owner.actor)
    complete = [invitations.get(acme.id, one.id, by=acme.owner.actor) for one in everything]
    by_row = {one.email for one in complete if invitations.why(one, moment) in status.NEEDS_ATTENTION}
    here = (Invitation.organization_id == acme.id, *conditions(Filter(needs_attention=True), moment))
    assert by_row == set(session().scalars(select(Invitation.email).where(*here)))
    assert invitations.count_needing_attention(principal) == len(by_row)
    return by_row


class TestAddingMembers:
    def test_other_domains_are_refused(self, acme: Acme) -> None:
        person = make_person("ana@guest.example")
        narrow(acme, "acme.example")
        with pytest.raises(DomainNotAllowed):
            members.add(acme.id, person.id, "member", by=acme.owner.actor)
        with pytest.raises(DomainNotAllowed):
            members.add(acme.id, person.id, "no such role", by=acme.owner.actor)
        assert members.list_page(acme.id, by=acme.owner.actor).total == 3

    def test_allowed_domains_are_added(self, acme: Acme) -> None:
        person = make_person("ana@guest.example")
        narrow(acme, "acme.example", "guest.example")
        assert members.add(acme.id, person.id, "member", by=acme.owner.actor).user_id == person.id


class TestRestricting:
    def test_new_account_cannot_accept(self, acme: Acme) -> None:
        sent = invite(acme)
        narrow(acme, "acme.example")
        assert isinstance(invitations.open_link(token_of(sent)).obstacle, DomainNotAllowed)
        with pytest.raises(DomainNotAllowed):
            invitations.accept_with_new_account(token_of(sent), ANA)
        assert reread(sent).state == "pending"

    def test_existing_account_cannot_accept(self, acme: Acme) -> None:
        person, sent = make_person("ana@guest.example"), invite(acme)
        narrow(acme, "acme.example")
        with pytest.raises(DomainNotAllowed):
            invitations.accept_with_account(token_of(sent), person.id)

    def test_domain_is_checked_without_the_mark(self, acme: Acme) -> None:
        sent = invite(acme)
        configure(acme, allowed_domains=["acme.example"])
        assert not reread(sent).domain_not_allowed
        with pytest.raises(DomainNotAllowed):
            invitations.accept_with_new_account(token_of(sent), ANA)

    def test_widening_allows_it_again(self, acme: Acme) -> None:
        sent = invite(acme)
        narrow(acme, "acme.example")
        assert needing(acme) == {"ana@guest.example"}
        narrow(acme)
        assert needing(acme) == set()
        assert invitations.accept_with_new_account(token_of(sent), ANA).organization_id == acme.id

    def test_affected_invitations_need_attention(self, acme: Acme, globex: Acme) -> None:
        invite(globex, "bo@guest.example")
        invite(acme, "ana@guest.example")
        invite(acme, "eva@sub.acme.example")
        invite(acme, "cem@acme.example")
        revoked = invitations.revoke(acme.id, invite(acme, "dan@guest.example").id, by=acme.owner.actor)
        expire(invite(acme, "eve@guest.example"))
        assert needing(acme) == set()
        narrow(acme, "acme.example")
        assert needing(acme) == {"ana@guest.example", "eva@sub.acme.example"}
        outside = invitations.outside_domains(authorize(acme.owner.actor, acme.id))
        assert outside is not None
        assert ({one.email for one in outside.items}, outside.total) == (needing(acme), 2)
        assert not reread(revoked).domain_not_allowed
        assert needing(globex) == set()

    def test_reason_is_the_domain(self, acme: Acme) -> None:
        sent = invite(acme)
        narrow(acme, "acme.example")
        found = invitations.get(acme.id, sent.id, by=acme.owner.actor)
        assert invitations.why(found, now()) == StatusReason.DOMAIN_NOT_ALLOWED

    def test_affected_invitations_are_hidden_without_permission(self, acme: Acme) -> None:
        make_role(acme, "Settings", ["organization:write"])
        person = make_member(acme, "sam@acme.example", role="settings")
        invite(acme)
        narrow(acme, "acme.example")
        assert invitations.outside_domains(authorize(person.actor, acme.id)) is None

    def test_it_cannot_be_resent(self, acme: Acme) -> None:
        sent = invite(acme)
        narrow(acme, "acme.example")
        with pytest.raises(DomainNotAllowed):
            invitations.resend(acme.id, sent.id, by=acme.owner.actor)

    @pytest.mark.parametrize(
        "change",
        [
            lambda org, one, by: invitations.edit(org, one, invitations.Changes(email="ana@acme.example"), by=by),
            lambda org, one, by: invitations.resend(org, one, email="ana@acme.example", by=by),
        ],
    )
    def test_another_address_resolves_it(self, acme: Acme, change: Any) -> None:
        sent = invite(acme)
        narrow(acme, "acme.example")
        change(acme.id, sent.id, acme.owner.actor)
        assert needing(acme) == set()
        assert invitations.accept_with_new_account(token_of(sent), ANA).organization_id == acme.id
