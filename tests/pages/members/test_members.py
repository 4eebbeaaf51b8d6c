"""Finding, changing and removing members, individually and in bulk, each with a preview."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from invite_app.access import Actor
from invite_app.db import session, transaction
from invite_app.models import Membership, OutboxMessage
from invite_app.models.members import NEVER
from invite_app.models.types import now
from invite_app.services import members
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, Person, add_member, invite, make_api_key, make_member, make_role, reread
from tests.support.html import Page
from tests.support.statements import record_statements
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]
ONLY_OWNER = "is the only owner. Hand over ownership first."
BULK = ["/remove", "/change-role", "/change-workspaces"]


def at(organization: Acme, person: Person | None = None, rest: str = "") -> str:
    one = f"/{person.id}" if person else ""
    return f"/organizations/{organization.id}/members{one}{rest}"


def names(page: Page) -> list[str]:
    return page.texts("a", "who-name")


def roles_of(app: Flask, organization: Acme) -> dict[str, str]:
    with app.app_context():
        return {
            member.user.email.partition("@")[0]: member.role.key
            for member in members.list_all(organization.id, by=organization.owner.actor)
        }


def selected(visitor: Visitor, path: str, *people: Person, **more: Any) -> tuple[Page, dict[str, Any]]:
    """Return the page of a bulk action for these people, and the fields that hold the selection."""
    query = "&".join(f"id={person.id}" for person in people)
    page = visitor.get(f"{path}?{query}")
    return page, {"id": [str(person.id) for person in people], "number": str(len(people)), **more}


@pytest.fixture
def keeper(app: Flask, acme: Acme) -> Person:
    """Create a member who can change members and nothing else."""
    with app.app_context():
        make_role(acme, "Keeper", ["members:read", "members:write"])
        return make_member(acme, "keeper@acme.example", role="keeper", given_name="Kim", family_name="Keeper")


# --- the list ---


def test_list_is_filtered_and_sorted_by_url(app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        members.change(acme.id, acme.member.id, workspace_ids=acme.workspaces[:1], by=acme.owner.actor)
    assert names(owner.get(at(acme, rest="?role=admin"))) == ["Adam Admin"]
    assert names(owner.get(at(acme, rest=f"?workspace={acme.workspaces[0]}"))) == ["Mia Member"]
    assert names(owner.get(at(acme, rest="?sort=-name")))[0] == "Olivia Owner"
    assert names(owner.get(at(acme, rest="?sort=joined")))[0] == "Olivia Owner"
    assert len(names(owner.get(at(acme, rest="?sort=nonsense&cursor=nonsense")))) == 3
    page = owner.get(at(acme, rest="?workspace=nonsense"))
    assert "No member matches this filter" in page.texts("h2")
    assert page.all("option", value="admin")


def test_page_links_keep_filter_and_order(app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        for number in range(30):
            make_member(acme, f"m{number}@acme.example", given_name="Zed", family_name=f"{number:02}")
    page = owner.get(at(acme, rest="?q=zed&role=member&sort=-name"))
    [following] = [tag.attributes["href"] for tag in page.all("a", rel="next")]
    assert all(part in following for part in ("q=zed", "role=member", "sort=-name"))
    assert names(owner.get(following))[-1] == "Zed 00"
    [everybody] = [link for link in page.links if "all=1" in link]
    chosen = owner.get(everybody)
    assert len(chosen.all("input", name="id", checked="")) == 25
    assert chosen.value("q") == "zed"


def test_empty_search_offers_a_way_on(app: Flask, acme: Acme, owner: Visitor, visit: Visit) -> None:
    with app.app_context():
        invite(acme, "mia@guest.example", given_name="Mia", family_name="Petrova")
        invite(acme, "ana@guest.example", given_name="Ana", family_name="Petrova")
    page = owner.get(at(acme, rest="?q=mia"))
    assert page.notes == ["1 invitation also matches “mia”. Show it"]
    page = owner.get(at(acme, rest="?q=ana"))
    assert "1 invitation does: Ana Petrova, pending." in page.texts("p")
    [found] = [link for link in page.links if "invitations?" in link]
    assert "Ana Petrova" in owner.get(found).texts("a", "who-name")
    assert "2 invitations do." in owner.get(at(acme, rest="?q=petrova")).texts("p")
    unseen = visit(acme.member).get(at(acme, rest="?q=petrova"))
    assert not [text for text in unseen.texts("p") if "invitation" in text]


def test_list_shows_when_members_were_last_active(app: Flask, acme: Acme, owner: Visitor, visit: Visit) -> None:
    visitor = visit(acme.admin)
    visitor.get(at(acme))
    visitor.go("/sign-out", page=at(acme))
    with app.app_context(), transaction() as writing:
        earlier = now() - timedelta(hours=3)
        writing.execute(update(Membership).where(Membership.user_id == acme.admin.id).values(last_seen_at=earlier))
    page = owner.get(at(acme))
    rows = page.texts("tr")
    assert "3 h ago" in rows[1], "although signed out by now"
    assert "never" in rows[2]
    [longest, *_] = [link for link in page.links if "sort=active" in link]
    assert owner.get(longest).texts("a", "who-name") == ["Mia Member", "Adam Admin", "Olivia Owner"]
    [latest, *_] = [link for link in owner.get(longest).links if "sort=-active" in link]
    assert owner.get(latest).texts("a", "who-name") == ["Olivia Owner", "Adam Admin", "Mia Member"]


def test_visit_is_recorded_every_few_minutes(app: Flask, acme: Acme, globex: Acme, visit: Visit) -> None:
    with app.app_context():
        add_member(globex, acme.owner)
    visitor = visit(acme.owner)
    seen = []
    start = now()
    for minutes in (0, 4, 6, 8):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            visitor.get(at(acme))
        with app.app_context():
            query = select(Membership.last_seen_at, Membership.updated_at).where(Membership.user_id == acme.owner.id)
            here = session().execute(query.where(Membership.organization_id == acme.id)).one()
            there = session().execute(query.where(Membership.organization_id == globex.id)).one()
        seen.append(here.last_seen_at - start)
    assert seen == [timedelta(), timedelta(), timedelta(minutes=6), timedelta(minutes=6)]
    assert there.last_seen_at == NEVER
    assert here.updated_at < start, "being here is no change"


def test_only_member_managers_can_select(acme: Acme, keeper: Person, visit: Visit) -> None:
    assert not visit(acme.member).get(at(acme)).all("input", name="id")
    page = visit(keeper).get(at(acme))
    assert len(page.all("input", name="id")) == 4
    assert not [link for link in page.links if "hand-over" in link]


@on_sqlite
@pytest.mark.parametrize(
    "path", ["", "?q=a", "?q=nobody", "?role=admin", "/{one}", "/{one}/remove", "/{one}/hand-over"]
)
def test_query_count_of_pages_is_low(path: str, app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        invite(acme, "nobody@guest.example", by=acme.admin.actor)
        make_api_key(acme, user=acme.admin, role="admin")
    address = at(acme, rest=path.format(one=acme.admin.id))
    owner.get(address)
    with record_statements(app) as statements:
        owner.get(address)
    assert len(statements) <= (14 if "?q" in path else 12)


@on_sqlite
@pytest.mark.parametrize("path", BULK)
def test_bulk_preview_query_count_does_not_grow(path: str, app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        for number in range(30):
            make_member(acme, f"m{number}@acme.example")
    with record_statements(app) as statements:
        owner.get(at(acme, rest=f"{path}?all=1"))
    assert len(statements) <= 12


# --- export ---


def test_export_matches_the_filter_without_formulas(app: Flask, acme: Acme, owner: Visitor, visit: Visit) -> None:
    with app.app_context():
        make_member(acme, "evil@acme.example", given_name="=1+1", family_name="@evil")
        make_member(acme, "other@globex.example")
    answer = owner.client.get(at(acme, rest="/export?q=acme"))
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert rows[0][:4] == ["Given name", "Family name", "Email", "Role"]
    assert rows[1][:4] == ["'=1+1", "'@evil", "evil@acme.example", "Member"]
    assert [row[2].partition("@")[0] for row in rows[1:]] == ["evil", "admin", "member", "owner"]
    assert rows[-1][-1].startswith("20")


# --- one member ---


def test_role_and_workspaces_change_after_a_preview(app: Flask, acme: Acme, owner: Visitor) -> None:
    here = at(acme, acme.member)
    chosen: dict[str, Any] = {"role": "admin", "workspace_ids": [str(acme.workspaces[0])]}
    page = owner.submit(here, preview="1", status=200, **chosen)
    assert "Mia will be able to" in page.texts("p")
    assert "Sales" in page.texts("span")
    assert roles_of(app, acme)["member"] == "member"
    assert owner.follow(here, **chosen).notes == ["Saved. Mia Member is Admin now."]
    page = owner.get(here)
    assert page.all("input", value="admin", checked="")
    assert page.all("input", value=str(acme.workspaces[0]), checked="")


def test_role_above_ones_own_is_explained(app: Flask, acme: Acme, keeper: Person, visit: Visit) -> None:
    visitor = visit(keeper)
    page = visitor.get(at(acme, acme.member))
    [admin] = page.all("input", value="admin")
    assert "disabled" in admin.attributes
    assert any(text.startswith("Your own role does not have: see invitations") for text in page.texts("p", "hint"))
    page = visitor.submit(at(acme, acme.member), role="admin", workspace_ids=[str(acme.workspaces[1])])
    assert page.errors[0].startswith("You cannot grant Admin")
    assert page.all("input", value=str(acme.workspaces[1]), checked=""), "what was chosen stays"
    assert roles_of(app, acme)["member"] == "member"


def test_role_change_in_list_returns_to_its_place(app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        members.change(acme.id, acme.member.id, workspace_ids=acme.workspaces[:1], by=acme.owner.actor)
    place = "?q=mia&role=member&sort=-joined"
    [panel] = [
        tag.attributes["data-panel"]
        for tag in owner.get(at(acme, rest=place)).all("details", name="menu")
        if "data-panel" in tag.attributes
    ]
    here = f"{at(acme)[: -len('members')]}{panel}{place}"
    assert owner.go(here, role="admin") == at(acme, rest=place)
    assert owner.get(at(acme)).notes == ["Saved. Mia Member is Admin now."]
    assert owner.get(at(acme, acme.member)).all("input", value=str(acme.workspaces[0]), checked="")


@pytest.mark.parametrize("path", ["", "/role"])
def test_outdated_form_does_not_overwrite_the_role(
    path: str, app: Flask, acme: Acme, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get_before_another_change(*which: UUID, by: Actor) -> Membership:
        found = get(*which, by=by)
        members.change_role(acme.id, acme.member.id, "admin", by=acme.owner.actor)
        return found

    get = members.get
    monkeypatch.setattr(members, "get", get_before_another_change)
    owner.go(at(acme, acme.member, path), page=at(acme), workspace_ids=[])
    assert roles_of(app, acme)["member"] == "admin"


def test_role_panel_refuses_what_the_page_refuses(
    app: Flask, acme: Acme, *, keeper: Person, owner: Visitor, visit: Visit
) -> None:
    visitor = visit(keeper)
    here = at(acme, acme.member, "/role")
    assert visitor.get(here).texts("p", "hint") == visitor.get(at(acme, acme.member)).texts("p", "hint")
    assert visitor.submit(here, role="admin").errors[0].startswith("You cannot grant Admin")
    page = visitor.get(at(acme, acme.admin, "/role"))
    assert page.notes[0].startswith("You cannot change somebody")
    assert not page.all("input", name="role")
    assert owner.get(at(acme, acme.owner, "/role")).texts("p", "hint").count(f"Olivia {ONLY_OWNER}") == 3
    assert owner.submit(at(acme, acme.owner, "/role"), role="member").summary[0].startswith("The last owner cannot")
    assert set(roles_of(app, acme).values()) == {"owner", "admin", "member", "keeper"}


def test_giving_up_member_permission_redirects_to_overview(
    app: Flask, acme: Acme, owner: Visitor, visit: Visit
) -> None:
    with app.app_context():
        make_role(acme, "Nothing", [])
    assert visit(acme.admin).go(at(acme, acme.admin, "/role"), role="nothing") == f"/organizations/{acme.id}/"


def test_higher_ranked_member_is_shown_read_only(app: Flask, acme: Acme, keeper: Person, visit: Visit) -> None:
    visitor = visit(keeper)
    page = visitor.get(at(acme, acme.admin))
    assert page.notes[0].startswith("You cannot change somebody")
    assert not page.all("input", name="role")
    visitor.submit(at(acme, acme.admin), page=at(acme, acme.member), role="member")
    visitor.get(at(acme, acme.admin, "/remove"), 403)
    visitor.submit(at(acme, acme.admin, "/remove"), page=at(acme, acme.member), status=403)
    assert roles_of(app, acme)["admin"] == "admin"


def test_readers_see_details_and_no_form(acme: Acme, visit: Visit) -> None:
    visitor = visit(acme.member)
    page = visitor.get(at(acme, acme.admin))
    assert page.notes == []
    assert "Admin" in page.texts("dd")
    visitor.submit(at(acme, acme.admin), page=at(acme), status=403, role="member")
    for path in ("/remove", "/hand-over", "/role"):
        visitor.get(at(acme, acme.admin, path), 403)
    for path in BULK:
        visitor.get(at(acme, rest=f"{path}?all=1"), 403)
        visitor.submit(at(acme, rest=path), page=at(acme), status=403, all="1", number="3")


def test_people_of_another_organization_are_not_found(app: Flask, acme: Acme, globex: Acme, owner: Visitor) -> None:
    for path in ("", "/remove", "/hand-over", "/role"):
        owner.get(at(acme, globex.member, path), 404)
        owner.submit(at(acme, globex.member, path), page=at(acme), status=404, role="admin")
    page, sent = selected(owner, at(acme, rest="/remove"), globex.member)
    assert "Nobody of the 0 selected." in page.texts("p")
    owner.follow(at(acme, rest="/remove"), page=at(acme, acme.member), **{**sent, "number": "0"})
    assert len(roles_of(app, globex)) == 3


def test_last_owner_stays_owner(app: Flask, acme: Acme, owner: Visitor, visit: Visit) -> None:
    message = f"Olivia {ONLY_OWNER}"
    page = owner.get(at(acme, acme.owner))
    assert page.texts("p", "hint").count(message) == 2
    page = owner.submit(at(acme, acme.owner), role="member")
    assert page.summary[0].startswith("The last owner cannot")
    assert owner.go(at(acme, acme.owner, "/remove"), page=at(acme, acme.owner)).endswith("/leave")
    with app.app_context():
        make_member(acme, "second@acme.example", role="owner", given_name="Sue")
    second = visit(Person(UUID(int=0), "second@acme.example"))
    assert second.follow(at(acme, acme.owner, "/remove")).notes == ["Olivia Owner is removed."]


def test_ownership_transfer_starts_at_the_members_page(acme: Acme, owner: Visitor, visit: Visit) -> None:
    here = at(acme, acme.admin, "/hand-over")
    message = "Adam Admin becomes owner when Adam confirms. You stay owner until then, and become Admin after."
    assert message in owner.get(here).texts("p")
    assert owner.follow(here).notes == ["Adam Admin becomes owner by confirming. You stay owner until then."]
    visit(acme.admin).get(at(acme, acme.member, "/hand-over"), 403)


# --- removing ---


def test_removal_previews_what_ends_and_what_stays(app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        members.change(acme.id, acme.admin.id, workspace_ids=acme.workspaces, by=acme.owner.actor)
        make_api_key(acme, user=acme.admin, role="admin", name="Nightly")
        sent = invite(acme, "ana@guest.example", by=acme.admin.actor)
    here = at(acme, acme.admin, "/remove")
    lines = owner.get(here).texts("li")
    assert "Access to 2 workspaces: Sales, Support." in lines
    assert "The API key Nightly, never used." in lines
    assert any(line.startswith("1 pending invitation sent by Adam.") for line in lines)
    page = owner.follow(here, take_over="y", tell="y")
    assert page.notes == ["Adam Admin is removed."]
    assert "admin" not in roles_of(app, acme)
    with app.app_context():
        assert (reread(sent).inviter_id, reread(sent).inviter_lost_right) == (acme.owner.id, False)
        assert session().scalar(select(OutboxMessage.user_id).where(OutboxMessage.kind == "removed")) == acme.admin.id


def test_unchecked_removal_keeps_invitations_and_sends_nothing(app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        sent = invite(acme, "ana@guest.example", by=acme.admin.actor)
    owner.go(at(acme, acme.admin, "/remove"))
    with app.app_context():
        assert (reread(sent).inviter_id, reread(sent).inviter_lost_right) == (acme.admin.id, True)
        assert session().scalar(select(OutboxMessage.id).where(OutboxMessage.kind == "removed")) is None


def test_forged_removal_is_refused(app: Flask, acme: Acme, owner: Visitor) -> None:
    forged = {"Origin": "https://evil.example"}
    for path in (at(acme, acme.admin, "/remove"), at(acme, rest="/remove"), at(acme, acme.admin)):
        answer = owner.client.post(path, data={"all": "1", "number": "3", "role": "member"}, headers=forged)
        assert answer.status_code == 400
    assert roles_of(app, acme) == {"owner": "owner", "admin": "admin", "member": "member"}


# --- bulk actions ---


def test_bulk_role_change_names_skipped_members(app: Flask, acme: Acme, owner: Visitor) -> None:
    path = at(acme, rest="/change-role")
    page, sent = selected(owner, path, acme.owner, acme.admin, acme.member)
    assert page.texts("h1") == ["Change the role of 3 people?"]
    assert "Left out: 1 of 3" in page.texts("h2")
    assert "Olivia Owner is the last owner" in page.texts("li")
    page = owner.submit(path, page=at(acme), **sent)
    assert page.errors == ["Choose a role."]
    page = owner.submit(path, page=at(acme), preview="1", status=200, new_role="member", **sent)
    assert "nothing changes for Mia Member" in page.texts("li")
    page = owner.follow(path, page=at(acme), new_role="member", **sent)
    assert page.notes == [
        "Adam Admin got another role.",
        "2 of 3 left out: nothing changes for Mia Member; Olivia Owner is the last owner.",
    ]
    assert roles_of(app, acme) == {"owner": "owner", "admin": "member", "member": "member"}


def test_role_above_ones_own_is_assigned_to_nobody(app: Flask, acme: Acme, keeper: Person, visit: Visit) -> None:
    visitor, path = visit(keeper), at(acme, rest="/change-role")
    page, sent = selected(visitor, path, acme.member, acme.admin, keeper)
    assert "Adam Admin may do more than you" in page.texts("li")
    assert "Kim Keeper is you" in page.texts("li")
    page = visitor.submit(path, page=at(acme, acme.member), new_role="admin", **sent)
    assert page.errors[0].startswith("You cannot grant Admin")
    assert roles_of(app, acme)["member"] == "member"


def test_workspaces_are_added_and_removed_in_bulk(app: Flask, acme: Acme, owner: Visitor) -> None:
    sales, support = (str(one) for one in acme.workspaces)
    path = at(acme, rest="/change-workspaces")
    with app.app_context():
        members.change(acme.id, acme.member.id, workspace_ids=[support], by=acme.owner.actor)
    _, sent = selected(owner, path, acme.owner, acme.member)
    assert owner.submit(path, page=at(acme), how="in", **sent).errors == ["Choose at least one workspace."]
    page = owner.follow(path, page=at(acme), how="in", workspace_ids=[sales], **sent)
    assert page.notes == ["2 people got other workspaces."]
    owner.go(path, page=at(acme), how="out", workspace_ids=[support], **sent)
    with app.app_context():
        found = members.get(acme.id, acme.member.id, by=acme.owner.actor)
        assert [one.name for one in found.workspaces] == ["Sales"]


def test_bulk_removal_covers_only_members_shown(app: Flask, acme: Acme, owner: Visitor) -> None:
    path = at(acme, rest="/remove")
    with app.app_context():
        make_member(acme, "zed1@acme.example", given_name="Zed")
    page = owner.get(f"{path}?all=1&q=zed")
    sent: dict[str, Any] = {"all": "1", "q": "zed", "number": page.value("number")}
    with app.app_context():
        make_member(acme, "zed2@acme.example", given_name="Zed")
    page = owner.submit(path, page=at(acme), **sent)
    assert "The list has changed since. Look at it again." in page.summary
    assert page.value("number") == "2"
    page = owner.follow(path, page=at(acme), **{**sent, "number": "2"})
    assert page.notes[0] == "2 people removed."
    assert roles_of(app, acme) == {"owner": "owner", "admin": "admin", "member": "member"}


def test_empty_selection_is_reported_on_the_list(acme: Acme, owner: Visitor) -> None:
    for path in BULK:
        owner.get(at(acme, rest=path), 303)
        assert owner.get(at(acme)).notes == ["Select at least one member first."]


def test_bulk_removal_keeps_other_memberships(app: Flask, acme: Acme, globex: Acme, owner: Visitor) -> None:
    with app.app_context():
        add_member(acme, globex.member)
    path = at(acme, rest="/remove")
    _, sent = selected(owner, path, globex.member)
    owner.go(path, page=at(acme), **sent)
    assert len(roles_of(app, globex)) == 3
