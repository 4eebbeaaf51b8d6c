"""The overview: items that need attention by urgency, and statistics."""

import pytest
from flask import Flask

from invite_app.db import transaction
from invite_app.models import Invitation
from invite_app.services import invitations
from tests.support.factories import Acme, configure, expire, invite, set_delivery, token_of
from tests.support.visitor import Visitor


@pytest.fixture
def home(acme: Acme) -> str:
    return f"/organizations/{acme.id}/"


def needs(visitor: Visitor, home: str) -> list[str]:
    lines = [tag for tag in visitor.get(home).all("div") if tag.attributes.get("class") == "row-text"]
    return [" ".join(tag.text.split()) for tag in lines]


def test_attention_items_are_sorted_by_urgency(app: Flask, acme: Acme, owner: Visitor, home: str) -> None:
    with app.app_context():
        configure(acme, seat_limit=6)
        failed, late, lost = (invite(acme, f"{name}@guest.example") for name in ("failed", "late", "lost"))
        set_delivery(failed, state="failed", reason="no such mailbox")
        expire(late)
        invitations.request_new_invitation(token_of(late), "I was ill.")
        with transaction() as writing:
            writing.get_one(Invitation, lost.id).inviter_lost_right = True
    found = needs(owner, home)
    assert found[0].startswith("1 invitation was not delivered")
    assert found[1].startswith("late@guest.example asks for a fresh invitation")
    assert "“I was ill.”" in found[1]
    assert found[2].startswith("1 invitation rests on a right that is gone")
    assert found[3].startswith("Links in emails start with")
    owner.go(f"{home}invitations/{late.id}/resend", page=home)
    assert any(line.startswith("All 6 seats are in use") for line in needs(owner, home))


def test_charts_appear_after_five_invitations(app: Flask, acme: Acme, owner: Visitor, home: str) -> None:
    with app.app_context():
        for number in range(4):
            invite(acme, f"guest{number}@guest.example")
    assert "Charts appear after five invitations." in owner.get(home).texts("p")
    with app.app_context():
        invite(acme, "guest4@guest.example")
    page = owner.get(home)
    assert [svg.attributes["aria-label"] for svg in page.all("svg", role="img")] == ["Sent: 5, Accepted: 0"]
    assert page.texts("p", "big") == ["0%", "none yet"]
    assert len(page.all("table")[0].text.split("\n")) == 14
