"""The local outbox: access, pages and framed messages."""

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
from invite_app.services import invitations
from tests.support.factories import (
    Acme,
    add_member,
    invite,
    make_member,
    make_role,
    token_of,
)
from tests.support.visitor import Visitor


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

    def test_full_custom_role_sees_no_owner_link(
        self, messages: None, app: Flask, acme: Acme, visit: Callable[..., Visitor]
    ) -> None:
        with app.app_context():
            make_role(acme, "Almost owner", PERMISSIONS)
            almost = make_member(acme, "almost@acme.example", "Almost owner")
        assert self.names(visit(almost)) == {"plain@guest.example"}
        path = next(
            path for path in self.paths(visit(acme.owner)) if "boss" in visit(acme.owner).client.get(path).text
        )
        visit(almost).get(path, 404)
        visit(almost).get(f"{path}/body", 404)

    def test_link_is_the_copied_one(
        self, messages: None, app: Flask, acme: Acme, visit: Callable[..., Visitor]
    ) -> None:
        [path] = self.paths(visit(acme.admin))
        text = visit(acme.admin).client.get(f"{path}/body").text
        with app.app_context():
            invitation = session().scalars(select(Invitation).where(Invitation.email == "plain@guest.example")).one()
            assert token_of(invitation, copied=True, by=acme.admin.actor) in text
            assert token_of(invitation) not in text
            assert invitation.link_copied

    def test_viewing_is_recorded_once_an_hour(
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

    def test_viewing_a_new_link_is_recorded(self, app: Flask, acme: Acme, visit: Callable[..., Visitor]) -> None:
        with app.app_context():
            invitation = invite(acme, "plain@guest.example")
        [path] = self.paths(visit(acme.admin))
        visit(acme.admin).get(path)
        with app.app_context():
            invitations.resend(acme.id, invitation.id, email="other@guest.example", by=acme.owner.actor)
        visit(acme.admin).get(path)
        viewed = select(AuditEvent.target_name).where(AuditEvent.action == "invitation.link_viewed")
        with app.app_context():
            assert sorted(session().scalars(viewed)) == ["other@guest.example", "plain@guest.example"]
