"""Settings: one form, errors at its fields, limits that remove nobody, and deleting the organization."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from invite_app.errors import OrganizationNotFound
from invite_app.models import Organization
from invite_app.services import organizations
from invite_app.services.organizations import Changes
from tests.support.factories import OPERATOR, Acme, add_member, configure, invite, make_member, make_role
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]


def at(organization: Acme) -> str:
    return f"/organizations/{organization.id}/settings"


def reread(app: Flask, organization: Acme) -> Organization:
    with app.app_context():
        return organizations.get(organization.id, by=OPERATOR)


def filled(**changes: str) -> dict[str, str]:
    unchanged = {"plan": "paid", "seat_limit": "", "name": "Acme", "lifetime": "7", "unit": "days"}
    return {**unchanged, "allowed_domains": "", "allowed_origins": "", **changes}


def test_page_shows_the_settings(app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        invite(acme)
        configure(
            acme,
            seat_limit=150,
            invitation_lifetime=timedelta(hours=36),
            allowed_domains=["acme.example", "guest.example"],
            allowed_origins=["https://app.acme.example"],
        )
    page = owner.get(at(acme))
    assert {name: page.value(name) for name in ("seat_limit", "name", "lifetime")} == {
        "seat_limit": "150",
        "name": "Acme",
        "lifetime": "36",
    }
    assert page.value("allowed_domains").split() == ["acme.example", "guest.example"]
    assert page.value("allowed_origins").strip() == "https://app.acme.example"
    assert [tag.attributes["value"] for tag in page.all("option", selected="")] == ["paid", "hours"]
    assert page.all("svg", role="img")[0].attributes["aria-label"] == "3 members and 1 pending of 150 seats"


def test_one_save_changes_everything(app: Flask, acme: Acme, owner: Visitor) -> None:
    typed = filled(
        plan="free",
        seat_limit="1,000",
        name="Acme Research",
        lifetime="48",
        unit="hours",
        allowed_domains="acme.example\r\n\r\n @Guest.example \r\nacme.example",
        allowed_origins="https://app.acme.example/\r\nhttp://localhost:3000",
    )
    assert owner.follow(at(acme), **typed).notes[0] == "Settings saved."
    saved = reread(app, acme)
    assert (saved.plan, saved.seat_limit, saved.name) == ("free", 1000, "Acme Research")
    assert saved.invitation_lifetime == timedelta(days=2)
    assert saved.allowed_domains == ["acme.example", "guest.example"]
    assert saved.allowed_origins == ["https://app.acme.example", "http://localhost:3000"]


def test_saving_unchanged_changes_nothing(app: Flask, acme: Acme, owner: Visitor) -> None:
    """This includes a lifetime that the API set and that hours cannot express."""
    odd = timedelta(minutes=90)
    with app.app_context():
        configure(acme, invitation_lifetime=odd)
    owner.go(at(acme), **filled(lifetime=owner.get(at(acme)).value("lifetime"), unit="hours"))
    assert reread(app, acme).invitation_lifetime == odd


NAME = "Enter a name for the organization."
LIMIT = "Enter a number from 1 to 10,000,000, or nothing for no limit."
LIFETIME = "Choose between 1 hour and 365 days."
ORIGIN = "Use scheme and host only, like https://app.example.com."


@pytest.mark.parametrize(
    ("field", "typed", "error"),
    [
        ("seat_limit", "many", LIMIT),
        ("seat_limit", "0", LIMIT),
        ("seat_limit", "-3", LIMIT),
        ("seat_limit", "9" * 5000, LIMIT),
        ("name", " ", NAME),
        ("name", "a\tb", "Leave out line breaks and other control characters."),
        ("lifetime", "0", LIFETIME),
        ("lifetime", "366", LIFETIME),
        ("lifetime", "999999999", LIFETIME),
        ("lifetime", "a week", LIFETIME),
        ("allowed_domains", "acme.example\r\nnot a domain", "“not a domain” is not a domain, like example.com."),
        ("allowed_origins", "https://app.acme.example/path", ORIGIN),
        ("allowed_origins", "https://ok.example\r\njavascript:alert(1)", ORIGIN),
    ],
)
def test_errors_are_shown_at_their_fields(field: str, typed: str, error: str, acme: Acme, owner: Visitor) -> None:
    page = owner.submit(at(acme), **filled(**{field: typed}))
    assert page.errors == page.summary == [error]
    assert page.value(field).split() == typed.split()


def test_all_errors_are_shown_together(app: Flask, acme: Acme, owner: Visitor) -> None:
    page = owner.submit(at(acme), **filled(name="", lifetime="", seat_limit="x", allowed_origins="x"))
    assert page.errors == [LIMIT, NAME, LIFETIME, ORIGIN]
    assert page.texts("title")[0].startswith("Problem: ")
    assert reread(app, acme).name == "Acme"


def test_unknown_plan_or_unit_is_refused(app: Flask, acme: Acme, owner: Visitor) -> None:
    owner.submit(at(acme), **filled(plan="gold"))
    owner.submit(at(acme), **filled(unit="years"))
    assert reread(app, acme).plan == "paid"


def test_limit_below_used_seats_is_saved_with_warning(app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        invite(acme)
    page = owner.follow(at(acme), **filled(seat_limit="2"))
    warning = (
        "2 more seats are in use than the limit allows. Nobody is removed; new invitations wait until there is room."
    )
    assert warning in page.notes
    assert reread(app, acme).members_count == 3
    assert warning not in owner.follow(at(acme), **filled(seat_limit="4")).notes


def test_local_only_public_url_shows_a_warning(make_app: Callable[..., Flask], acme: Acme) -> None:
    local = Visitor(make_app(INVITE_EXTERNAL_URL="http://localhost:5000")).sign_in(acme.owner)
    (note,) = local.get(at(acme)).notes
    assert note.startswith("Links in emails start with http://localhost:5000, which nobody outside this machine")
    assert note.endswith("Set INVITE_EXTERNAL_URL.")


@pytest.mark.parametrize("path", ["", "/delete"])
def test_only_settings_managers_see_them(path: str, app: Flask, acme: Acme, globex: Acme, visit: Visit) -> None:
    with app.app_context():
        make_role(acme, "Keeper", ["organization:write"])
        keeper = make_member(acme, "keeper@acme.example", role="keeper")
    visit(acme.admin).get(f"{at(acme)}{path}", 403)
    visit(globex.owner).get(f"{at(acme)}{path}", 404)
    page = visit(keeper).get(f"{at(acme)}{path}")
    assert not [link for link in page.links if link.endswith(("/members", "/invitations"))]


def test_deleting_requires_the_name(app: Flask, acme: Acme, owner: Visitor) -> None:
    path = f"{at(acme)}/delete"
    for typed in ("", "acme", "Acme Inc"):
        page = owner.submit(path, name=typed)
        assert page.errors == ["Type the name as it stands above: Acme"]
        assert page.value("name") == typed
    reread(app, acme)
    assert owner.go(path, name=" Acme ") == "/"
    assert owner.get("/").notes == ["Acme is deleted."]
    with pytest.raises(OrganizationNotFound):
        reread(app, acme)
    owner.get(at(acme), 404)


def test_deleting_one_of_two_redirects_to_the_other(app: Flask, acme: Acme, globex: Acme, owner: Visitor) -> None:
    with app.app_context():
        add_member(globex, acme.owner)
    page = owner.get(f"/organizations/{acme.id}/")
    assert f"/organizations/{globex.id}/" in page.links, "the switcher names both"
    owner.go(f"{at(acme)}/delete", name="Acme")
    assert owner.client.get("/").location == f"/organizations/{globex.id}/"


def test_typed_text_survives_signing_out(acme: Acme, owner: Visitor) -> None:
    path = at(acme)
    token = owner.token(path)
    owner.go("/sign-out", page=path)
    asked: Any = owner.client.post(path, data={**filled(name="Acme Research"), "csrf_token": token}).location
    owner.get(asked)
    owner.sign_in(acme.owner)
    assert owner.get(path).value("name") == "Acme Research"


def test_restricting_domains_lists_affected_invitations(app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        for address in ("ana@guest.example", "bo@guest.example", "cem@guest.example", "dan@acme.example"):
            invite(acme, address)
    page = owner.follow(at(acme), **filled(allowed_domains="acme.example"))
    (note,) = [text for text in page.texts("div", "note-text") if "pending" in text]
    assert "3 pending invitations are outside these domains and can't be accepted" in note
    assert "cem@guest.example, bo@guest.example and 1 more" in note
    (review,) = [link for link in page.links if "state=outside" in link]
    listed = owner.get(review)
    assert [text for text in listed.texts("main") if "dan@acme.example" in text] == []
    assert "ana@guest.example" in listed.texts("main")[0]
    page = owner.follow(at(acme), **filled())
    assert [text for text in page.texts("div", "note-text") if "pending" in text] == []


def test_affected_invitations_need_their_own_permission(
    app: Flask, acme: Acme, visit: Callable[..., Visitor]
) -> None:
    with app.app_context():
        make_role(acme, "Settings", ["organization:write"])
        person = make_member(acme, "sam@acme.example", role="settings")
        invite(acme)
        organizations.change(acme.id, Changes(allowed_domains=["acme.example"]), by=OPERATOR)
    assert "ana@guest.example" not in visit(person).get(at(acme)).texts("main")[0]
