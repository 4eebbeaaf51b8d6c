"""The card that says why somebody has not joined yet, and the actions that help."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from invite_app.db import transaction
from invite_app.models import Invitation
from invite_app.models.types import now
from invite_app.services import invitations, roles
from tests.support import html
from tests.support.factories import (
    OPERATOR,
    Acme,
    configure,
    expire,
    invite,
    make_role,
    reread,
    set_delivery,
    token_of,
)
from tests.support.visitor import Visitor

HOUR = timedelta(hours=1)


@pytest.fixture
def sent(app: Flask, acme: Acme) -> Invitation:
    with app.app_context():
        make_role(acme, "Gone", ["members:read"])
        return invite(acme, "priya@guest.example", role="gone", given_name="Priya", family_name="Raman")


@pytest.fixture
def path(acme: Acme, sent: Invitation) -> str:
    return f"/organizations/{acme.id}/invitations/{sent.id}"


def see(invitation_id: UUID, **observed: Any) -> None:
    with transaction() as writing:
        for name, value in observed.items():
            setattr(writing.get_one(Invitation, invitation_id), name, value)


def steps(page: html.Page) -> list[str]:
    """Return the labels of the card's buttons."""
    classes = [(tag.name, (tag.attributes.get("class") or "").split(), tag.text.strip()) for tag in page.tags]
    [start] = [index for index, (_, names, _) in enumerate(classes) if "why" in names]
    end = next(index for index, (name, _, _) in enumerate(classes) if name == "ol" and index > start)
    return [text for _, names, text in classes[start:end] if "btn" in names]


def test_rejected_address_is_corrected(app: Flask, sent: Invitation, path: str, owner: Visitor) -> None:
    with app.app_context():
        set_delivery(sent, state="failed", attempts=1, reason="550 5.1.2 guest.example does not exist")
    page = owner.get(path)
    assert page.texts("p", "why-sentence") == ["The email never arrived: 550 5.1.2 guest.example does not exist."]
    assert steps(page) == ["Correct the address", "Send again"]
    assert f"{path}/edit#email" in page.links


def test_unresponsive_mail_server_offers_retry_or_link(
    app: Flask, sent: Invitation, path: str, owner: Visitor
) -> None:
    with app.app_context():
        set_delivery(sent, state="failed", attempts=6, reason="the mail server did not answer in time")
    page = owner.get(path)
    assert page.texts("p", "why-sentence") == [
        "The email never arrived, after 6 tries: the mail server did not answer in time."
    ]
    assert steps(page) == ["Send again", "Copy link"]


def test_waiting_mail_is_retried_now(app: Flask, sent: Invitation, path: str, owner: Visitor) -> None:
    with app.app_context():
        waiting = {"state": "queued", "attempts": 1, "reason": "452 mailbox full", "next_attempt_at": now() + HOUR}
        set_delivery(sent, **waiting)
    page = owner.get(path)
    assert steps(page) == ["Try now"]
    page = owner.follow(f"{path}/try-now", page=path)
    assert page.notes == ["The mail server is asked again now. Reload this page in a moment."]
    assert "Tried again by Olivia Owner" in page.texts("ol", "timeline")[0]


def test_expired_undelivered_invitation_goes_to_another_address(
    app: Flask, sent: Invitation, path: str, owner: Visitor
) -> None:
    with app.app_context():
        set_delivery(sent, state="failed", attempts=1, reason="550 no")
        expire(sent, timedelta(days=1))
    page = owner.get(path)
    assert steps(page) == ["Send a fresh one", "Correct the address"]
    page = owner.follow(f"{path}/send-again", email="priya.raman@guest.example", note="")
    assert page.notes[0].startswith("Sent again. The old link is dead; the new one works until ")
    assert page.texts("p", "facts-line") == ["priya.raman@guest.example"]


def test_wrong_account_is_explained(app: Flask, sent: Invitation, path: str, owner: Visitor) -> None:
    with app.app_context():
        see(sent.id, wrong_account_at=now(), note="Welcome.")
    page = owner.get(path)
    assert steps(page) == ["Send again with an explanation", "Change the address"]
    form = owner.get(f"{path}/send-again")
    note = form.value("note")
    assert note.startswith("You opened the invitation while signed in to another account.")
    assert note.endswith("\n\nWelcome.")
    assert "accept as priya@guest.example" in note
    page = owner.submit(f"{path}/send-again", email="no address", note="x" * 1001)
    assert page.errors == ["Enter an email address, like name@example.com.", "Use at most 1,000 characters."]
    page = owner.follow(f"{path}/send-again", email="priya@guest.example", note=note)
    assert page.notes[0].startswith("Sent again. The same link now works until ")
    with app.app_context():
        assert reread(sent).note == note
    assert owner.get(f"{path}/send-again").value("note") == note, "without another explanation"


def test_deleted_role_is_replaced(app: Flask, acme: Acme, sent: Invitation, path: str, owner: Visitor) -> None:
    with app.app_context():
        roles.delete(acme.id, "gone", by=OPERATOR)
    page = owner.get(path)
    assert page.texts("p", "why-sentence") == ["Priya cannot accept: the role “Gone” no longer exists."]
    assert steps(page) == ["Choose a role"]
    assert f"{path}/edit#role" in page.links
    owner.follow(f"{path}/edit", email="priya@guest.example", role="member", note="")
    with app.app_context():
        assert reread(sent).role_name == "Member"


def test_missing_seats_link_to_the_seats(
    app: Flask, acme: Acme, *, sent: Invitation, path: str, owner: Visitor, visit: Any
) -> None:
    with app.app_context():
        configure(acme, seat_limit=4)
        see(sent.id, no_seat_at=now())
    page = owner.get(path)
    assert page.texts("p", "why-sentence") == ["Priya tried to accept just now, but all 4 seats are taken."]
    assert f"/organizations/{acme.id}/settings#seat_limit" in page.links
    assert f"/organizations/{acme.id}/#seats" in visit(acme.admin).get(path).links


def test_revoked_invitation_names_who_revoked_it(
    app: Flask, acme: Acme, sent: Invitation, path: str, owner: Visitor
) -> None:
    with app.app_context():
        invitations.revoke(acme.id, sent.id, by=acme.admin.actor)
    page = owner.get(path)
    assert page.texts("h2", "why-sentence")[0].startswith("Adam Admin revoked this on ")
    assert steps(page) == ["Invite again"]


def test_accepted_invitation_links_to_the_member(app: Flask, acme: Acme, path: str, owner: Visitor) -> None:
    with app.app_context():
        new = invite(acme, "mei@guest.example", given_name="Mei", family_name="Tanaka")
        invitations.accept_with_new_account(
            token_of(new), invitations.NewProfile("Mei", "Tanaka", "a few words in a row")
        )
    page = owner.get(f"/organizations/{acme.id}/invitations/{new.id}")
    [link] = [link for link in page.links if link.endswith("/members?q=mei@guest.example")]
    assert owner.get(link).texts("a", "who-name") == ["Mei Tanaka"]
