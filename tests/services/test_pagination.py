"""Lists: connected pages, safe cursors, and a constant number of queries."""

import base64

import pytest
from flask import Flask

from invite_app.access import UserActor
from invite_app.db import session
from invite_app.models import InvitationState
from invite_app.services import audit, invitations, members
from tests.support.factories import Acme, expire, invite, make_member
from tests.support.statements import record_statements

NOBODY = "0" * 32
MADE_UP = [
    *("null", "5", '"n"', "[]", "{}", '["n"]', '["n",5,6]', '["n",[],[]]', '["n",{"a":1},["u","x"]]', "[" * 50_000),
    *('["n",["u",5],["u",5]]', '["n",["s","x"],["s","y"]]', '["n",[[],"x"],["u","y"]]', '["n",["t",1],["u",2]]'),
    *(f'["n",["{kind}","{text}"],["u","{NOBODY}"]]' for kind in "stu" for text in ("\\u0000", "\\ud800")),
    f'["p",["t","0001-01-01T00:00:00+14:00"],["u","{NOBODY}"]]',
    f'["n",["s","a"],["u","{NOBODY}"],["u","{NOBODY}"]]',
]
CURSORS = ["", "x", "é", "a" * 10_000, *(base64.urlsafe_b64encode(text.encode()).decode() for text in MADE_UP)]


class TestPages:
    def test_connect_in_both_directions(self, acme: Acme) -> None:
        sent = [invite(acme, f"a{number}@guest.example").email for number in range(7)][::-1]
        pages = [invitations.list_page(acme.id, by=acme.owner.actor, limit=3)]
        for _ in range(2):
            pages.append(invitations.list_page(acme.id, by=acme.owner.actor, cursor=pages[-1].next, limit=3))
        assert [item.email for page in pages for item in page.items] == sent
        assert [(page.total, page.previous is None, page.next is None) for page in pages] == [
            (7, True, False),
            (7, False, False),
            (7, False, True),
        ]
        back = invitations.list_page(acme.id, by=acme.owner.actor, cursor=pages[2].previous, limit=3)
        assert [item.email for item in back.items] == sent[3:6]
        assert back.next is not None

    def test_sort_members_by_name_ignoring_case(self, acme: Acme) -> None:
        make_member(acme, "z@acme.example", given_name="adele", family_name="x")
        by = acme.member.actor
        first = members.list_page(acme.id, by=by, limit=2)
        second = members.list_page(acme.id, by=by, limit=2, cursor=first.next)
        names = [member.user.given_name for member in first.items + second.items]
        assert names == ["Adam", "adele", "Mia", "Olivia"]

    def test_have_at_least_one_row(self, acme: Acme) -> None:
        assert len(members.list_page(acme.id, by=acme.member.actor, limit=-5).items) == 1
        assert len(members.list_page(acme.id, by=acme.member.actor, limit=10**9).items) == 3

    @pytest.mark.parametrize("state", ["pending", "expired", "revoked"])
    def test_of_one_state_include_overdue_invitations(self, acme: Acme, state: str) -> None:
        sent = {name: invite(acme, f"{name}@guest.example") for name in ("pending", "expired", "revoked")}
        invitations.revoke(acme.id, sent["revoked"].id, by=acme.owner.actor)
        expire(sent["expired"])
        page = invitations.list_page(acme.id, by=acme.owner.actor, state=InvitationState(state))
        assert [(item.id, page.total) for item in page.items] == [(sent[state].id, 1)]
        counted = invitations.counts(acme.id, by=acme.owner.actor)
        assert [counted[name] for name in sent] == [1, 1, 1]


@pytest.mark.parametrize("cursor", CURSORS, ids=range(len(CURSORS)))
def test_invalid_cursor_means_the_first_page(acme: Acme, cursor: str) -> None:
    invite(acme)
    for list_page in (invitations.list_page, members.list_page, audit.list_page):
        page = list_page(acme.id, by=acme.owner.actor, cursor=cursor)
        assert page.items
        assert page.previous is None


def test_foreign_cursor_shows_only_own_rows(acme: Acme, globex: Acme) -> None:
    for name in "abc":
        invite(globex, f"{name}@guest.example")
        invite(acme, f"{name}@guest.example")
    theirs = invitations.list_page(globex.id, by=globex.owner.actor, limit=1).next
    page = invitations.list_page(acme.id, by=acme.owner.actor, cursor=theirs)
    assert {item.organization_id for item in page.items} == {acme.id}


@pytest.mark.parametrize("text", ["\x00", "\ud800", "%", "_", "\\", "'", "a\x00b", "ana@", "💥" * 200], ids=ascii)
def test_any_text_can_be_searched_for(acme: Acme, text: str) -> None:
    invite(acme, "ana@guest.example")  # no b anywhere
    by = acme.owner.actor
    found = invitations.list_page(acme.id, by=by, only=invitations.Filter(fragment=text))
    assert found.total == (1 if text in ("ana@", "\x00") else 0)
    members.list_page(acme.id, by=by, only=members.Filter(fragment=text))
    assert invitations.list_page(acme.id, by=by, only=invitations.Filter(email=text)).total == 0
    assert members.list_page(acme.id, by=by, only=members.Filter(emails=[text], roles=[text])).total == 0
    assert audit.list_page(acme.id, by=by, only=audit.Filter(actor=text, action=text, target=text)).items == []


def test_query_count_does_not_grow_with_rows(app: Flask, acme: Acme) -> None:
    def queries(by: UserActor) -> int:
        session().remove()
        with record_statements(app) as statements:
            for item in invitations.list_page(acme.id, by=by, limit=50).items:
                assert [item.role.name, item.inviter.name, *item.workspaces]
            for member in members.list_page(acme.id, by=by, limit=50).items:
                assert [member.user.name, member.role.name, *member.workspaces]
        return len(statements)

    invite(acme, "first@guest.example", workspace_ids=acme.workspaces)
    few = queries(acme.owner.actor)
    for number in range(12):
        invite(acme, f"a{number}@guest.example", workspace_ids=acme.workspaces)
        make_member(acme, f"m{number}@acme.example")
    assert queries(acme.owner.actor) == few
    assert few <= 8
