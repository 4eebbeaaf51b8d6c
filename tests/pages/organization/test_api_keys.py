"""API keys: shown once and never stored, listed by their prefix, revoked permanently."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from invite_app.errors import Unauthenticated
from invite_app.models.types import now
from invite_app.services import api_keys
from invite_app.services.api_keys import authentication
from tests.support.factories import Acme, Key, make_api_key, make_member, make_role
from tests.support.html import Page
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]


@pytest.fixture
def key(app: Flask, acme: Acme) -> Key:
    with app.app_context():
        return make_api_key(acme, role="admin", name="Payroll")


def at(organization: Acme) -> str:
    return f"/organizations/{organization.id}/api-keys"


def make(visitor: Visitor, organization: Acme, status: int = 200, **typed: str) -> Page:
    """Fill in and send the form."""
    path = f"{at(organization)}/new"
    once = visitor.get(path).value("once")
    return visitor.submit(path, status=status, **{"name": "Website", "role": "member", "once": once, **typed})


def secret_on(page: Page) -> str:
    return page.all("input", id="api-key")[0].attributes["value"]


def test_empty_list_says_so(acme: Acme, owner: Visitor) -> None:
    page = owner.get(at(acme))
    assert page.texts("h2")[-1] == "No keys yet"
    assert "A key lets a program invite people." in page.texts("p")


def test_key_is_shown_once(app: Flask, acme: Acme, owner: Visitor) -> None:
    page = make(owner, acme, name="Website", role="admin")
    secret = secret_on(page)
    assert "Copy this key now. It is not shown again." in page.notes
    assert owner.answer is not None
    assert owner.answer.headers["Cache-Control"] == "no-store"
    with app.app_context():
        actor = authentication.authenticate(secret, ip=None)
        assert actor.organization_id == acme.id
    page = owner.get(at(acme))
    assert "Website" in page.texts("span", "who-name")
    assert page.texts("span", "who-sub")[-1] == f"{secret[:9]}…"
    assert "Olivia Owner" in page.texts("span", "cut")


def test_no_cookie_or_later_page_contains_the_key(acme: Acme, owner: Visitor) -> None:
    secret = secret_on(make(owner, acme))
    with owner.client.session_transaction() as session:
        assert secret not in str(dict(session))
    owner.get(at(acme))
    assert owner.answer is not None
    assert secret not in owner.answer.text


def test_reloading_creates_no_second_key(acme: Acme, owner: Visitor) -> None:
    path = f"{at(acme)}/new"
    sent = {"name": "Website", "role": "member", "once": owner.get(path).value("once")}
    owner.submit(path, status=200, **sent)
    page = owner.follow(path, **sent)
    assert page.notes == ["This key was made and shown already. If it is lost, revoke it and make another one."]
    assert page.texts("nav", "card-foot") == ["1 in all"]


def test_key_may_expire(app: Flask, acme: Acme, owner: Visitor) -> None:
    day = (now() + timedelta(days=30)).date()
    secret = secret_on(make(owner, acme, last_day=day.isoformat()))
    with app.app_context():
        (made,) = api_keys.list_all(acme.id, by=acme.owner.actor)
        assert made.expires_at is not None
        assert made.expires_at.date() == day + timedelta(days=1)
        assert authentication.authenticate(secret, ip=None)
    assert owner.get(at(acme)).texts("time")[-1] in ("in 30 days", "in 31 days")


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"name": ""}, "Enter a name."),
        ({"name": "x" * 101}, "Use at most 100 characters."),
        ({"role": "nobody"}, "There is no role “nobody” in this organization. Choose another one."),
        ({"last_day": "tomorrow"}, "Enter a date, like 2027-12-31."),
        ({"last_day": "9999-12-31"}, "Enter a date, like 2027-12-31."),
        ({"last_day": "2020-01-01"}, "Choose an end in the future."),
    ],
)
def test_errors_are_shown_at_their_fields(typed: dict[str, str], error: str, acme: Acme, owner: Visitor) -> None:
    page = make(owner, acme, status=422, **typed)
    assert page.errors == page.summary == [error]
    assert page.value("name") == typed.get("name", "Website")
    assert page.value("last_day") == typed.get("last_day", "")
    assert secret_on(owner.submit(f"{at(acme)}/new", status=200, name="Web", role="member", once=page.value("once")))


def test_key_cannot_exceed_its_creators_permissions(app: Flask, acme: Acme, visit: Visit) -> None:
    with app.app_context():
        make_role(acme, "Machinist", ["api_keys:write"])
        machinist = visit(make_member(acme, "mac@acme.example", role="machinist"))
    page = make(machinist, acme, status=422, role="owner")
    assert page.errors[0].startswith("You cannot grant Owner: your own role does not let you ")
    options = {tag.attributes["value"]: "disabled" in tag.attributes for tag in page.all("option")}
    assert options == {"owner": True, "admin": True, "member": True, "machinist": False}
    assert secret_on(make(machinist, acme, role="machinist"))


def test_revoking_asks_first_and_is_permanent(app: Flask, acme: Acme, owner: Visitor, key: Key) -> None:
    path = f"{at(acme)}/{key.id}/revoke"
    page = owner.get(path)
    assert page.texts("h1") == ["Revoke Payroll?"]
    assert f"{key.secret[:9]}…" in " ".join(page.texts("p"))
    assert owner.follow(path).notes == ["Payroll is revoked. It never works again."]
    with app.app_context(), pytest.raises(Unauthenticated):
        authentication.authenticate(key.secret, ip=None)
    owner.get(path, 404)
    owner.submit(path, page=at(acme), status=404)


def test_expired_key_is_marked(app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        make_api_key(acme, expires_at=now() + timedelta(hours=1))
    with time_machine.travel(now() + timedelta(hours=2)):
        assert "Ended" in owner.get(at(acme)).texts("span", "badge")


def test_long_list_has_pages(app: Flask, acme: Acme, owner: Visitor) -> None:
    with app.app_context():
        for number in range(27):
            make_api_key(acme, name=f"Key {number:02}")
    page = owner.get(at(acme))
    assert len(page.texts("span", "who-name")) == 25
    (further,) = [link for link in page.links if "cursor=" in link]
    assert owner.get(further).texts("span", "who-name") == ["Key 01", "Key 00"]


@pytest.mark.parametrize("path", ["", "/new", "/{key}/revoke"])
def test_only_key_managers_see_keys(path: str, acme: Acme, globex: Acme, key: Key, visit: Visit) -> None:
    path = path.format(key=key.id)
    visit(acme.member).get(f"{at(acme)}{path}", 403)
    visit(globex.owner).get(f"{at(acme)}{path}", 404)
    visit(acme.admin).get(f"{at(acme)}{path}")


def test_foreign_key_is_not_found(acme: Acme, globex: Acme, key: Key, visit: Visit) -> None:
    path = f"{at(globex)}/{key.id}/revoke"
    stranger = visit(globex.owner)
    stranger.get(path, 404)
    stranger.submit(path, page=at(globex), status=404)


def test_key_of_a_higher_role_cannot_be_revoked(app: Flask, acme: Acme, visit: Visit) -> None:
    with app.app_context():
        make_role(acme, "Machinist", ["api_keys:write"])
        machinist = visit(make_member(acme, "mac@acme.example", role="machinist"))
        key = make_api_key(acme, role="member", user=acme.owner)
    page = machinist.follow(f"{at(acme)}/{key.id}/revoke")
    assert page.notes == ["You cannot change somebody whose role has permissions that yours does not have."]
