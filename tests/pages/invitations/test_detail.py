"""The list of invitations, the page of one, and its actions."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask

from invite_app.services import invitations, members, organizations
from tests.support.factories import (
    OPERATOR,
    Acme,
    configure,
    expire,
    invite,
    make_member,
    make_role,
    reread,
    set_delivery,
    token_of,
)
from tests.support.visitor import Visitor


@pytest.fixture
def list_(acme: Acme) -> str:
    return f"/organizations/{acme.id}/invitations"


@pytest.fixture
def one(app: Flask, acme: Acme, list_: str) -> str:
    with app.app_context():
        return f"{list_}/{invite(acme, given_name='Ana', family_name='Sousa').id}"


def badges(visitor: Visitor, path: str) -> list[str]:
    return visitor.get(path).texts("span", "badge")


def test_each_state_has_a_tab(app: Flask, acme: Acme, list_: str, owner: Visitor) -> None:
    with app.app_context():
        made = {
            name: invite(acme, f"{name}@guest.example") for name in ("kept", "failed", "late", "paul", "ruth", "mei")
        }
        set_delivery(made["failed"], state="failed", reason="550 no such domain")
        expire(made["late"], timedelta(days=2))
        invitations.decline(token_of(made["paul"]), word="I am leaving.")
        invitations.revoke(acme.id, made["ruth"].id, by=OPERATOR)
        profile = invitations.NewProfile("Mei", "Tanaka", "a few words in a row")
        invitations.accept_with_new_account(token_of(made["mei"]), profile)
    assert badges(owner, list_) == ["Not delivered", "In the outbox"]
    assert badges(owner, f"{list_}?state=undelivered") == ["Not delivered"]
    assert badges(owner, f"{list_}?state=expired") == ["Expired"]
    assert badges(owner, f"{list_}?state=declined") == ["Declined"]
    assert badges(owner, f"{list_}?state=revoked") == ["Revoked"]
    assert badges(owner, f"{list_}?state=accepted") == ["Accepted"]
    assert len(badges(owner, f"{list_}?state=all")) == 6
    assert badges(owner, f"{list_}?state=nonsense") == badges(owner, list_)
    page = owner.get(list_)
    assert "Not delivered 1" in page.texts("nav", "tabs")[0]
    assert "Refused: 550 no such domain." in page.texts("p", "cell-sub")


def test_empty_lists_explain_what_will_appear(list_: str, owner: Visitor) -> None:
    assert "Nobody is invited yet" in owner.get(list_).texts("h2")
    assert "Everything is delivered" in owner.get(f"{list_}?state=undelivered").texts("h2")
    assert "No invitation matches “zoe”" in owner.get(f"{list_}?q=zoe").texts("h2")


def test_search_keeps_tab_and_matches_names_and_addresses(app: Flask, acme: Acme, list_: str, owner: Visitor) -> None:
    with app.app_context():
        invite(acme, "a@guest.example", given_name="Zoë", family_name="Quist")
        invite(acme, "bo@guest.example")
    assert owner.get(f"{list_}?q=quist").texts("a", "who-name") == ["Zoë Quist"]
    assert owner.get(f"{list_}?q=BO@").texts("a", "who-name") == ["bo@guest.example"]
    assert owner.get(f"{list_}?q=quist&state=expired").texts("a", "who-name") == []


def test_long_lists_have_pages_in_both_directions(app: Flask, acme: Acme, list_: str, owner: Visitor) -> None:
    with app.app_context():
        for number in range(27):
            invite(acme, f"guest{number:02}@guest.example")
    first = owner.get(f"{list_}?q=guest")
    [following] = [tag.attributes["href"] for tag in first.all("a", rel="next")]
    second = owner.get(following)
    assert [len(page.texts("a", "who-name")) for page in (first, second)] == [25, 2]
    [back] = [tag.attributes["href"] for tag in second.all("a", rel="prev")]
    assert owner.get(back).texts("a", "who-name") == first.texts("a", "who-name")
    assert "27 in all" in second.texts("nav", "card-foot")[0]
    owner.get(f"{list_}?cursor=garbage&_scheme=javascript&_external=1")


def test_resending_shows_when_the_link_expires(app: Flask, one: str, owner: Visitor) -> None:
    [note] = owner.follow(f"{one}/resend", page=one).notes
    assert note.startswith("Sent again. The same link now works until ")


def test_extending_adds_a_week(one: str, owner: Visitor) -> None:
    assert owner.follow(f"{one}/extend", page=one).notes[0].startswith("Extended. The link now works until ")


def test_revoking_asks_first(one: str, owner: Visitor) -> None:
    page = owner.get(f"{one}/revoke")
    assert page.texts("h1") == ["Revoke the invitation of Ana Sousa?"]
    page = owner.follow(f"{one}/revoke")
    assert page.notes == ["Revoked. The link of Ana no longer works."]
    assert "Revoked" in page.texts("span", "badge")
    assert owner.follow(f"{one}/extend", page=one).notes == ["This invitation has ended: it is revoked."]


def test_link_is_shown_on_request_and_never_cached(app: Flask, acme: Acme, one: str, owner: Visitor) -> None:
    assert not owner.get(f"{one}/link").all("input", id="link")
    page = owner.submit(f"{one}/link", status=200)
    [shown] = page.all("input", id="link")
    assert shown.attributes["value"].startswith("http://localhost/invitations/")
    assert owner.answer is not None
    assert owner.answer.headers["Cache-Control"] == "no-store"
    assert "Link copied by Olivia Owner" in owner.get(one).texts("ol", "timeline")[0]


def test_new_address_invalidates_the_old_link(
    app: Flask, acme: Acme, one: str, owner: Visitor, visit: Callable[..., Visitor]
) -> None:
    with app.app_context():
        old = token_of(UUID(one.rpartition("/")[2]))
    form = f"{one}/edit"
    assert owner.get(form).value("email") == "ana@guest.example"
    page = owner.submit(form, email="member@acme.example", role="member", note="Hello")
    assert page.errors == ["member@acme.example is already a member. Open the list of members to change the role."]
    assert page.value("note") == "Hello"
    page = owner.follow(form, email="ana.sousa@guest.example", role="member", note="Hello")
    assert page.notes == ["Address changed. The old link no longer works."]
    visit().get(f"/invitations/{old}", 404)


def test_inviters_lost_permission_is_fixed_by_takeover(app: Flask, acme: Acme, list_: str, owner: Visitor) -> None:
    with app.app_context():
        invitation = invite(acme, role="admin", by=acme.admin.actor, given_name="Jonas")
        members.change_role(acme.id, acme.admin.id, "member", by=OPERATOR)
    path = f"{list_}/{invitation.id}"
    page = owner.get(path)
    assert page.texts("p", "why-sentence") == [
        "Jonas cannot accept: Adam Admin, who sent this, may no longer grant Admin."
    ]
    assert owner.follow(f"{path}/take-over", page=path).notes == [
        "Taken over. The invitation now counts as sent by you."
    ]


def test_domain_no_longer_allowed_offers_a_fix(app: Flask, acme: Acme, list_: str, owner: Visitor) -> None:
    with app.app_context():
        invitation = invite(acme, given_name="Jonas")
        organizations.change(acme.id, organizations.Changes(allowed_domains=["acme.example"]), by=OPERATOR)
    path = f"{list_}/{invitation.id}"
    page = owner.get(path)
    assert page.texts("p", "why-sentence") == [
        "Jonas can't accept: addresses at guest.example are no longer allowed."
    ]
    page = owner.follow(f"{path}/edit", email="jonas@acme.example", role="member")
    assert page.notes == ["Address changed. The old link no longer works."]
    assert "no longer allowed" not in owner.get(path).texts("main")[0]


def test_refused_action_is_explained_on_the_invitation(app: Flask, acme: Acme, list_: str, owner: Visitor) -> None:
    with app.app_context():
        invitation = invite(acme)
        expire(invitation)
        configure(acme, seat_limit=3)
    path = f"{list_}/{invitation.id}"
    assert owner.follow(f"{path}/resend", page=path).notes == [
        "All 3 seats are in use. Revoke an invitation or raise the limit."
    ]
    with app.app_context():
        assert reread(invitation).state == "pending"


def test_readers_see_no_buttons(app: Flask, acme: Acme, one: str, visit: Callable[..., Visitor]) -> None:
    with app.app_context():
        make_role(acme, "Reader", ["members:read", "invitations:read"])
        reader = make_member(acme, "reader@acme.example", role="reader")
    page = visit(reader).get(one)
    assert [tag.attributes["action"] for tag in page.all("form")] == ["/appearance", "/sign-out"]
    assert not [link for link in page.links if link.startswith(f"{one}/")]
