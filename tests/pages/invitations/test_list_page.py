"""The list of invitations: orders, bulk actions, and a search that finds members too."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from invite_app.services import invitations, roles
from invite_app.services.invitations import bulk_actions
from tests.support import html
from tests.support.factories import OPERATOR, Acme, expire, invite, make_member, make_role, reread, set_delivery
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]


@pytest.fixture
def list_(acme: Acme) -> str:
    return f"/organizations/{acme.id}/invitations"


def names(page: html.Page) -> list[str]:
    return page.texts("a", "who-name")


def bullets(page: html.Page) -> list[str]:
    return [text for text in page.texts("li") if "@guest" in text]


def test_needs_attention_first_is_the_default_order(app: Flask, acme: Acme, list_: str, owner: Visitor) -> None:
    with app.app_context():
        stuck = invite(acme, "stuck@guest.example", lifetime=timedelta(days=30))
        invite(acme, "soon@guest.example", lifetime=timedelta(days=1))
        invite(acme, "new@guest.example")
        set_delivery(stuck, state="failed", reason="550 no")
    page = owner.get(list_)
    assert names(page) == ["stuck@guest.example", "new@guest.example", "soon@guest.example"]
    assert "3 people are invited and not in yet. 1 needs you." in page.texts("p")
    soonest = owner.get(f"{list_}?sort=ends")
    assert names(soonest) == ["soon@guest.example", "new@guest.example", "stuck@guest.example"]
    assert names(owner.get(f"{list_}?sort=newest")) == [
        "new@guest.example",
        "soon@guest.example",
        "stuck@guest.example",
    ]
    assert names(owner.get(f"{list_}?sort=nonsense")) == names(page)
    assert not owner.get(f"{list_}?state=revoked").all("select", name="sort")


def test_order_is_kept_across_pages(app: Flask, acme: Acme, list_: str, owner: Visitor) -> None:
    with app.app_context():
        for number in range(27):
            invite(acme, f"a{number:02}@guest.example", lifetime=timedelta(days=60 - number))
    first = owner.get(f"{list_}?sort=ends")
    [following] = [tag.attributes["href"] for tag in first.all("a", rel="next")]
    assert names(first)[0] == "a26@guest.example"
    assert names(owner.get(following)) == ["a01@guest.example", "a00@guest.example"]


def test_selected_invitations_are_revoked_after_a_preview(app: Flask, acme: Acme, list_: str, owner: Visitor) -> None:
    with app.app_context():
        made = [invite(acme, f"{name}@guest.example") for name in "abc"]
        invitations.revoke(acme.id, made[2].id, by=OPERATOR)
    chosen = "&".join(f"id={one.id}" for one in made)
    page = owner.get(f"{list_}/revoke?{chosen}&state=all")
    assert page.texts("h1") == ["Revoke 2 of 3 invitations?"]
    assert bullets(page) == ["b@guest.example", "a@guest.example", "c@guest.example (is revoked)"]
    assert "Left out: 1 of 3" in page.texts("h2")
    fields = {"id": [str(one.id) for one in made], "state": "all", "number": "3"}
    page = owner.follow(f"{list_}/revoke", page=f"{list_}/revoke?{chosen}", **fields)
    assert page.notes == ["2 invitations revoked.", "1 of 3 left out: c@guest.example (is revoked)."]
    with app.app_context():
        assert [reread(one).state for one in made] == ["revoked"] * 3


@pytest.mark.parametrize(
    ("action", "title", "note"),
    [
        ("send-again", "Send 30 invitations again?", "30 invitations sent again."),
        ("extend", "Extend 30 invitations?", "30 invitations extended by 7 days."),
        ("revoke", "Revoke 30 invitations?", "30 invitations revoked."),
    ],
)
def test_all_matching_are_selected_by_the_filter(
    action: str, title: str, note: str, *, app: Flask, acme: Acme, list_: str, owner: Visitor
) -> None:
    with app.app_context():
        for number in range(30):
            invite(acme, f"zed{number}@guest.example")
        other = invite(acme, "other@guest.example")
    page = owner.get(f"{list_}?q=zed&all=1")
    assert any("All 30 selected." in text for text in page.texts("p"))
    form = f"{list_}/{action}?all=1&state=pending&q=zed"
    assert owner.get(form).texts("h1") == [title]
    fields = {"all": "1", "state": "pending", "q": "zed", "number": "30"}
    assert owner.follow(f"{list_}/{action}", page=form, **fields).notes == [note]
    with app.app_context():
        assert reread(other).state == "pending"
        assert reread(other).expires_at == other.expires_at


def test_role_links_to_its_invitations_and_back(app: Flask, acme: Acme, list_: str, owner: Visitor) -> None:
    with app.app_context():
        invite(acme, "ana@guest.example", "admin")
        invite(acme, "bo@guest.example")
        invite(acme, "cy@guest.example", "admin")
    only_admins = f"{list_}?state=pending&role=admin"
    assert only_admins in owner.get(f"/organizations/{acme.id}/roles").links
    assert only_admins in owner.get(f"/organizations/{acme.id}/roles/admin").links
    page = owner.get(only_admins)
    assert names(page) == ["cy@guest.example", "ana@guest.example"]
    assert [tag.text for tag in page.all("a", class_="btn") if "Role:" in tag.text] == [
        "Role: Admin . Show every role"
    ]
    assert f"{list_}?state=pending" in page.links
    assert names(owner.get(f"{only_admins}&q=an")) == ["ana@guest.example"]
    assert {tag.attributes["value"] for tag in page.all("input", name="role")} == {"admin"}
    assert "No invitation here is for “Owner”" in owner.get(f"{list_}?role=owner").texts("h2")
    assert "No invitation for “Owner” matches “zoe”" in owner.get(f"{list_}?role=owner&q=zoe").texts("h2")
    assert "No invitation here is for “lead”" in owner.get(f"{list_}?role=lead").texts("h2")


def test_renamed_role_is_shown_with_its_current_name(app: Flask, acme: Acme, list_: str, owner: Visitor) -> None:
    with app.app_context():
        make_role(acme, "Editor", ["members:read"])
        invite(acme, "ana@guest.example", "editor")
        roles.update_role(acme.id, "editor", name="Author", by=OPERATOR)
    assert "Role: Author . Show every role" in owner.get(f"{list_}?role=editor").texts("a", "btn")


def test_select_all_respects_the_role_filter(app: Flask, acme: Acme, list_: str, owner: Visitor) -> None:
    with app.app_context():
        admin, other = invite(acme, "ana@guest.example", "admin"), invite(acme, "bo@guest.example")
    form = f"{list_}/revoke?all=1&state=pending&role=admin"
    owner.follow(f"{list_}/revoke", page=form, all="1", state="pending", role="admin", number="1")
    with app.app_context():
        assert [reread(one).state for one in (admin, other)] == ["revoked", "pending"]


def test_changed_selection_is_shown_again(app: Flask, acme: Acme, list_: str, owner: Visitor) -> None:
    with app.app_context():
        one = invite(acme)
    form = f"{list_}/revoke?all=1&state=pending"
    page = owner.submit(f"{list_}/revoke", page=form, all="1", state="pending", number="3")
    assert "The list has changed since. Look at it again." in page.summary
    with app.app_context():
        assert reread(one).state == "pending"


def test_empty_and_oversized_selections_are_explained(
    app: Flask, acme: Acme, list_: str, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.get(f"{list_}/revoke?state=expired", 303)
    assert owner.get(list_).notes == ["Select at least one invitation first."]
    monkeypatch.setattr(bulk_actions, "MAX_SELECTED", 1)
    with app.app_context():
        invite(acme, "a@guest.example")
        invite(acme, "b@guest.example")
    owner.get(f"{list_}/revoke?all=1&state=pending", 303)
    assert owner.get(list_).notes == ["2 are selected; 1 fit. Narrow the list first."]


def test_only_inviters_can_select_open_invitations(
    app: Flask, acme: Acme, list_: str, owner: Visitor, visit: Visit
) -> None:
    with app.app_context():
        make_role(acme, "Reader", ["members:read", "invitations:read"])
        reader = make_member(acme, "reader@acme.example", role="reader")
        expire(invite(acme, "late@guest.example"))
        gone = invite(acme, "gone@guest.example")
        invitations.revoke(acme.id, gone.id, by=OPERATOR)
        invite(acme)
    assert not visit(reader).get(list_).all("input", name="id")
    visit(reader).get(f"{list_}/revoke?all=1", 403)
    assert not owner.get(f"{list_}?state=revoked").all("input", name="id")
    actions = [tag.attributes["formaction"] for tag in owner.get(f"{list_}?state=expired").all("button", form="bulk")]
    assert actions == [f"{list_}/send-again"]


def test_empty_search_offers_a_way_on(app: Flask, acme: Acme, list_: str, owner: Visitor, visit: Visit) -> None:
    with app.app_context():
        invite(acme, "mia@guest.example")
        make_member(acme, "mia.too@acme.example", given_name="Mia", family_name="Too")
        make_role(acme, "Inviter", ["invitations:read", "invitations:write"])
        inviter = make_member(acme, "x@acme.example", role="inviter", given_name="Xu")
    assert owner.get(f"{list_}?q=mia").notes == ["2 members also match “mia”. Show them"]
    page = owner.get(f"{list_}?q=olivia")
    assert "No invitation matches “olivia”" in page.texts("h2")
    assert "1 member does: Olivia Owner, Owner." in page.texts("p")
    [found] = [link for link in page.links if "members?" in link]
    assert "Olivia Owner" in names(owner.get(found))
    assert "2 members do." in owner.get(f"{list_}?q=mia&state=expired").texts("p")
    assert not visit(inviter).get(f"{list_}?q=mia").notes
