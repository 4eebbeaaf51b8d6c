"""Members, workspaces, leaving and the outbox."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from invite_app.db import session
from invite_app.models import AuditEvent, Invitation
from invite_app.models.roles import PERMISSIONS
from invite_app.models.types import now
from tests.support.factories import (
    Acme,
    add_member,
    expire,
    invite,
    make_member,
    make_organization,
    make_role,
    token_of,
)
from tests.support.visitor import Visitor


@pytest.fixture
def home(acme: Acme) -> str:
    return f"/organizations/{acme.id}"


def test_members_are_listed_and_found(home: str, owner: Visitor) -> None:
    page = owner.get(f"{home}/members")
    assert page.texts("a", "who-name") == ["Adam Admin", "Mia Member", "Olivia Owner"]
    assert owner.get(f"{home}/members?q=mia").texts("a", "who-name") == ["Mia Member"]
    assert "No member matches “zoe”" in owner.get(f"{home}/members?q=zoe").texts("h2")


def test_many_members_have_pages(app: Flask, acme: Acme, home: str, owner: Visitor) -> None:
    with app.app_context():
        for number in range(24):
            make_member(acme, f"m{number}@acme.example", given_name="Zed", family_name=f"{number:02}")
    [following] = [tag.attributes["href"] for tag in owner.get(f"{home}/members").all("a", rel="next")]
    assert len(owner.get(following).texts("a", "who-name")) == 2


def test_workspace_is_created_renamed_and_deleted(app: Flask, acme: Acme, home: str, owner: Visitor) -> None:
    assert owner.follow(f"{home}/workspaces/new", name=" Research ").notes == ["Workspace Research made."]
    for name, message in (
        ("research", "There is already a workspace called “research”."),
        ("  ", "Enter a name."),
        ("x" * 101, "Use at most 100 characters."),
    ):
        page = owner.submit(f"{home}/workspaces/new", name=name)
        assert page.errors == [message]
        assert page.value("name") == name
    one = f"{home}/workspaces/{acme.workspaces[0]}"
    assert owner.get(f"{one}/rename").value("name") == "Sales"
    assert owner.submit(f"{one}/rename", name="Support").errors == ["There is already a workspace called “Support”."]
    assert owner.follow(f"{one}/rename", name="Selling").notes == ["The workspace is now called Selling."]
    with app.app_context():
        invite(acme, workspace_ids=acme.workspaces[:1])
        expire(invite(acme, "late@guest.example", workspace_ids=acme.workspaces[:1]))
    assert "0 members and 1 pending invitation lose the workspace." in owner.get(f"{one}/delete").texts("p")
    page = owner.follow(f"{one}/delete")
    assert page.texts("span", "who-name") == ["Research", "Support"]
    owner.get(f"{one}/delete", 404)


def test_empty_workspace_list_says_so(app: Flask, visit: Callable[..., Visitor]) -> None:
    with app.app_context():
        bare = make_organization("Bare", workspace_names=())
    visitor = visit(bare.owner)
    assert "No workspaces yet" in visitor.get(f"/organizations/{bare.id}/workspaces").texts("h2")
    assert "There are no workspaces yet." in visitor.get(f"/organizations/{bare.id}/invitations/new").texts("p")


def test_leaving_ends_membership_but_last_owner_stays(
    home: str, acme: Acme, owner: Visitor, visit: Callable[..., Visitor]
) -> None:
    assert owner.follow(f"{home}/leave").notes[0].startswith("The last owner cannot leave")
    member = visit(acme.member)
    page = member.follow(f"{home}/leave")
    assert page.texts("h1") == ["No organization yet"]
    assert page.notes == ["You left Acme."]
    member.get(f"{home}/", 404)


class TestOutbox:
    @pytest.fixture
    def messages(self, app: Flask, acme: Acme, globex: Acme) -> None:
        with app.app_context():
            invite(acme, "plain@guest.example")
            invite(acme, "boss@guest.example", "owner")
            invite(globex, "foreign@guest.example")

    def names(self, visitor: Visitor) -> set[str]:
        return set(visitor.get("/outbox").texts("a", "who-name"))

    def paths(self, visitor: Visitor) -> list[str]:
        return [tag.attributes["href"] for tag in visitor.get("/outbox").all("a", class_="who-name cut")]

    def test_shows_messages_the_reader_could_have_sent(
        self, messages: None, app: Flask, acme: Acme, globex: Acme, visit: Callable[..., Visitor]
    ) -> None:
        assert self.names(visit(acme.owner)) == {"plain@guest.example", "boss@guest.example"}
        assert self.names(visit(acme.admin)) == {"plain@guest.example"}
        assert self.names(visit(acme.member)) == set()
        with app.app_context():
            add_member(acme, globex.owner, role="owner")
        assert len(self.names(visit(globex.owner))) == 3

    def test_page_has_fifty_messages(self, app: Flask, acme: Acme, owner: Visitor) -> None:
        with app.app_context():
            for number in range(52):
                invite(acme, f"ana{number:02}@guest.example")
        first = owner.get("/outbox")
        [further] = [tag.attributes["href"] for tag in first.all("a", rel="next")]
        second = owner.get(further)
        assert (len(first.texts("a", "who-name")), second.texts("a", "who-name")) == (
            50,
            ["ana01@guest.example", "ana00@guest.example"],
        )
        [back] = [tag.attributes["href"] for tag in second.all("a", rel="prev")]
        assert owner.get(back).texts("a", "who-name") == first.texts("a", "who-name")

    def test_page_without_visible_messages_leads_on(
        self, app: Flask, acme: Acme, visit: Callable[..., Visitor]
    ) -> None:
        with app.app_context():
            invite(acme, "plain@guest.example")
            for number in range(50):
                invite(acme, f"boss{number}@guest.example", "owner")
        first = visit(acme.admin).get("/outbox")
        assert first.texts("a", "who-name") == []
        [further] = [tag.attributes["href"] for tag in first.all("a", rel="next")]
        assert visit(acme.admin).get(further).texts("a", "who-name") == ["plain@guest.example"]

    def test_message_is_framed_with_its_own_policy(
        self, messages: None, acme: Acme, visit: Callable[..., Visitor]
    ) -> None:
        visitor = visit(acme.admin)
        [path] = self.paths(visitor)
        [frame] = visitor.get(path).all("iframe")
        assert frame.attributes["src"] == f"{path}/body"
        assert frame.attributes["sandbox"] == "allow-popups allow-popups-to-escape-sandbox"
        answer = visitor.client.get(f"{path}/body")
        assert '<head><base target="_blank">' in answer.text
        assert "default-src 'none'; style-src 'unsafe-inline'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"

    def test_others_find_nothing(
        self, messages: None, acme: Acme, globex: Acme, visit: Callable[..., Visitor]
    ) -> None:
        paths = self.paths(visit(acme.owner))
        assert len(paths) == 2
        for path in paths:
            for person in (acme.member, globex.owner):
                visit(person).get(path, 404)
                visit(person).get(f"{path}/body", 404)
        visit().get(paths[0], 303)


def test_hostile_names_and_notes_stay_text(app: Flask, acme: Acme, home: str, visit: Callable[..., Visitor]) -> None:
    evil = "<script>alert(1)</script>\"'{{7*7}}"
    with app.app_context():
        make_role(acme, "<b>Boss</b>", ["members:read"])
        boss = make_member(
            acme, "boss@acme.example", role="owner", given_name=evil, family_name="<img src=x onerror=y>"
        )
        invitation = invite(
            acme,
            by=boss.actor,
            role="<b>Boss</b>",
            given_name=evil,
            family_name="https://evil.example",
            note=f"{evil}\nhttps://evil.example/click",
        )
    visitor = visit(boss)
    visitor.follow(f"{home}/workspaces/new", name="<i>room</i>")
    for path in ("/", "/members", "/workspaces", "/invitations", "/invitations/new", f"/invitations/{invitation.id}"):
        page = visitor.get(f"{home}{path}")
        assert visitor.answer is not None
        assert "<script>alert" not in visitor.answer.text
        assert not page.all("img")
        assert not [link for link in page.links if "evil.example" in link]
    assert evil in visitor.get(f"{home}/members?q=%3Cscript").texts("a", "who-name")[0]
    page = visitor.submit(f"{home}/invitations/new", email='"><script>alert(1)</script>', given_name=evil)
    assert page.value("given_name") == evil

    def test_full_custom_role_sees_no_owner_link(
        self, messages: None, app: Flask, acme: Acme, visit: Callable[..., Visitor]
    ) -> None:
        with app.app_context():
            make_role(acme, "Almost owner", PERMISSIONS)
            almost = make_member(acme, "almost@acme.example", "almost-owner")
        assert self.names(visit(almost)) == {"plain@guest.example"}
        path = next(path for path in self.paths(visit(acme.owner)) if "boss" in visit(acme.owner).get(path).text)
        visit(almost).get(path, 404)
        visit(almost).get(f"{path}/body", 404)

    def test_link_is_of_the_copied_kind(
        self, messages: None, app: Flask, acme: Acme, visit: Callable[..., Visitor]
    ) -> None:
        [path] = self.paths(visit(acme.admin))
        text = visit(acme.admin).get(path).text
        with app.app_context():
            invitation = session().scalars(select(Invitation).where(Invitation.email == "plain@guest.example")).one()
            assert token_of(invitation, copied=True) in text
            assert token_of(invitation) not in text
            assert invitation.link_copied

    def test_looking_is_recorded_once_an_hour(
        self, messages: None, app: Flask, acme: Acme, visit: Callable[..., Visitor]
    ) -> None:
        [path] = self.paths(visit(acme.admin))
        viewed = select(AuditEvent.actor_name).where(AuditEvent.action == "invitation.link_viewed")
        for _ in range(2):
            visit(acme.admin).get(path)
            visit(acme.admin).client.get(f"{path}/body")
        with app.app_context():
            assert session().scalars(viewed).all() == ["Adam Admin"]
        with time_machine.travel(now() + timedelta(minutes=61), tick=False):
            visit(acme.admin).get(path)
        with app.app_context():
            assert len(session().scalars(viewed).all()) == 2
