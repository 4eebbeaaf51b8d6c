"""Listing members, resending invitations and creating organizations through the Almanac API."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from invite_app.models.roles import PERMISSIONS
from invite_app.services import invitations, organizations
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, Key, Person, configure, expire, invite, make_member, make_role, reread

from .published import HOSTED_ORGANIZATION_INVITATION, HTTP_VALIDATION_ERROR, SEATS, check

NOBODY = "01980000-0000-7000-8000-000000000001"
NOT_FOUND = {"detail": "Not Found"}


def test_members_are_listed_with_related_data(
    app: Flask, client: FlaskClient, acme: Acme, key: Key, url: str
) -> None:
    with app.app_context():
        expire(invite(acme, "bo@guest.example"))
        sent = invite(acme, "ana@guest.example", role="admin")
        configure(acme, seat_limit=3)
    shown = client.get(f"{url}/members", headers=key.headers).get_json()
    assert shown["organization_id"] == str(acme.id)
    assert shown["seats"] == {
        "active": 3,
        "pending": 1,
        "used": 4,
        "blocked": True,
        "granted": 3,
        "unlimited": False,
        "overage_allowed": False,
    }
    assert shown["viewer"] == {
        "organization_id": str(acme.id),
        "role": "owner",
        "can_manage_billing": True,
        "can_manage_developers": True,
        "can_manage_enterprise": True,
        "can_manage_members": True,
    }
    for invitation in shown["invitations"]:
        check(invitation, HOSTED_ORGANIZATION_INVITATION)
    assert [(item["email"], item["state"]) for item in shown["invitations"]] == [
        ("ana@guest.example", "pending"),
        ("bo@guest.example", "expired"),
    ]
    assert shown["invitations"][0]["invitation_id"] == str(sent.id)
    assert [member["display_name"] for member in shown["members"]] == ["Adam Admin", "Mia Member", "Olivia Owner"]
    mia = shown["members"][1]
    assert mia.pop("membership_id")
    assert mia == {
        "user_id": str(acme.member.id),
        "display_name": "Mia Member",
        "email": "member@acme.example",
        "role": "member",
        "status": "active",
        "avatar_url": None,
    }
    assert [role["slug"] for role in shown["roles"]] == ["owner", "admin", "member"]
    assert shown["roles"][2] == {"name": "Member", "slug": "member", "description": "members:read"}


def test_missing_limit_is_reported_as_unlimited(client: FlaskClient, key: Key, url: str) -> None:
    seats = client.get(f"{url}/members", headers=key.headers).get_json()["seats"]
    assert (seats["granted"], seats["unlimited"], seats["blocked"]) == (0, True, False)


@pytest.mark.parametrize(("seat_limit", "is_blocked"), [(None, False), (5, False), (4, True), (3, True)])
def test_seats_fit_the_published_schema(
    app: Flask, client: FlaskClient, acme: Acme, key: Key, url: str, *, seat_limit: int | None, is_blocked: bool
) -> None:
    with app.app_context():
        sent = invite(acme)
        configure(acme, seat_limit=seat_limit)
    listed = client.get(f"{url}/members", headers=key.headers)
    resent = client.post(f"{url}/invitations/{sent.id}/resend", headers=key.headers)
    for answer in (listed, resent):
        seats = answer.get_json()["seats"]
        check(seats, SEATS)
        assert seats["blocked"] is is_blocked


def test_response_omits_what_the_caller_cannot_read(
    app: Flask, client: FlaskClient, acme: Acme, make_key: Callable[..., Key], url: str
) -> None:
    with app.app_context():
        invite(acme)
    shown = client.get(f"{url}/members", headers=make_key("member").headers).get_json()
    assert (len(shown["members"]), shown["invitations"], shown["seats"]["pending"]) == (3, [], 1)
    assert shown["viewer"] == {
        "organization_id": str(acme.id),
        "role": "owner",
        "can_manage_billing": False,
        "can_manage_developers": False,
        "can_manage_enterprise": False,
        "can_manage_members": False,
    }


def test_query_count_does_not_grow_with_rows(
    app: Flask, client: FlaskClient, acme: Acme, key: Key, url: str, *, count_queries: Callable[[], Any]
) -> None:
    client.get(f"{url}/members", headers=key.headers)
    counts = []
    for round_ in range(2):
        with count_queries() as statements:
            client.get(f"{url}/members", headers=key.headers)
        counts.append(len(statements))
        with app.app_context():
            for number in range(5):
                make_member(acme, f"m{round_}{number}@acme.example")
                invite(acme, f"i{round_}{number}@guest.example")
    assert counts[0] == counts[1]


def test_listing_members_requires_permission(
    app: Flask, client: FlaskClient, acme: Acme, make_key: Callable[..., Key], url: str
) -> None:
    with app.app_context():
        make_role(acme, "Nothing", [])
    assert client.get(f"{url}/members", headers=make_key("nothing").headers).status_code == 403
    assert client.get(f"{url}/members").status_code == 401


# --- resending ---


def test_invitation_is_resent(app: Flask, client: FlaskClient, acme: Acme, key: Key, url: str) -> None:
    with app.app_context():
        sent = invite(acme)
        expire(sent)
    answer = client.post(f"{url}/invitations/{sent.id}/resend", headers=key.headers)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert [(item["invitation_id"], item["state"]) for item in answer.get_json()["invitations"]] == [
        (str(sent.id), "pending")
    ]
    with app.app_context():
        assert reread(sent).state == "pending"


def test_inviting_alone_does_not_show_members(
    app: Flask, client: FlaskClient, acme: Acme, make_key: Callable[..., Key], url: str
) -> None:
    with app.app_context():
        make_role(acme, "Inviters", ["invitations:write"])
        make_role(acme, "Guests", [])
        sent = invite(acme, role="Guests")
    answer = client.post(f"{url}/invitations/{sent.id}/resend", headers=make_key("inviters").headers)
    assert answer.status_code == 200
    assert (answer.get_json()["members"], answer.get_json()["invitations"]) == ([], [])


def test_closed_invitation_cannot_be_resent(app: Flask, client: FlaskClient, acme: Acme, key: Key, url: str) -> None:
    with app.app_context():
        sent = invitations.revoke(acme.id, invite(acme).id, by=acme.owner.actor)
    answer = client.post(f"{url}/invitations/{sent.id}/resend", headers=key.headers)
    assert (answer.status_code, answer.get_json()) == (409, {"detail": "This invitation has ended: it is revoked."})


def test_foreign_invitation_is_not_found(app: Flask, client: FlaskClient, globex: Acme, key: Key, url: str) -> None:
    with app.app_context():
        foreign = invite(globex)
        before = reread(foreign).expires_at
    for invitation_id in (foreign.id, NOBODY, "x"):
        answer = client.post(f"{url}/invitations/{invitation_id}/resend", headers=key.headers)
        assert (answer.status_code, answer.get_json()) == (404, NOT_FOUND)
    with app.app_context():
        assert reread(foreign).expires_at == before


@on_sqlite
def test_resending_requires_permission_and_custom_header(
    app: Flask,
    client: FlaskClient,
    acme: Acme,
    url: str,
    *,
    make_key: Callable[..., Key],
    signed_in: Callable[[Person], FlaskClient],
) -> None:
    with app.app_context():
        resend = f"{url}/invitations/{invite(acme, role='owner').id}/resend"
    assert client.post(resend).status_code == 401
    assert signed_in(acme.owner).post(resend).status_code == 401
    assert client.post(resend, headers=make_key("member").headers).status_code == 403
    assert client.post(resend, headers=make_key("admin").headers).status_code == 403


# --- creating organizations ---


def test_owners_key_creates_an_organization(app: Flask, client: FlaskClient, acme: Acme, key: Key) -> None:
    answer = client.post("/v1/organizations", json={"name": "Acme Labs"}, headers=key.headers)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    shown = answer.get_json()
    with app.app_context():
        made = organizations.get(shown["organization_id"], by=acme.owner.actor)
        assert made.name == "Acme Labs"
    assert shown == {
        "organization_id": str(made.id),
        "name": "Acme Labs",
        "slug": "acme-labs",
        "role": "owner",
        "permissions": list(PERMISSIONS),
    }


def test_slug_is_used_only_once(client: FlaskClient, key: Key) -> None:
    body = {"name": "Acme Labs", "slug": "labs"}
    assert client.post("/v1/organizations", json=body, headers=key.headers).get_json()["slug"] == "labs"
    again = client.post("/v1/organizations", json=body, headers=key.headers)
    assert again.status_code == 422
    check(again.get_json(), HTTP_VALIDATION_ERROR)
    (detail,) = again.get_json()["detail"]
    assert (detail["loc"], detail["input"]) == (["body", "slug"], "labs")


@on_sqlite
@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": " "}, "name"),
        ({"name": "Labs", "slug": "La bs"}, "slug"),
        ({"name": "Labs", "slug": 5}, "slug"),
        ({"name": "Labs", "plan": "paid"}, "plan"),
    ],
)
def test_invalid_organizations_are_refused(client: FlaskClient, key: Key, body: dict[str, Any], place: str) -> None:
    answer = client.post("/v1/organizations", json=body, headers=key.headers)
    assert (answer.status_code, answer.get_json()["detail"][0]["loc"]) == (422, ["body", place])


@on_sqlite
def test_only_owners_create_organizations(
    client: FlaskClient, acme: Acme, make_key: Callable[..., Key], signed_in: Callable[[Person], FlaskClient]
) -> None:
    keys = [make_key("admin"), make_key("member"), make_key("owner", user=acme.admin)]
    answers = [client.post("/v1/organizations", json={"name": "X"}, headers=key.headers) for key in keys]
    custom = {"X-Requested-With": "fetch"}
    answers.append(signed_in(acme.owner).post("/v1/organizations", json={"name": "X"}, headers=custom))
    assert [answer.status_code for answer in answers] == [403] * 4
    without = signed_in(acme.owner).post("/v1/organizations", json={"name": "X"})
    assert [client.post("/v1/organizations", json={"name": "X"}).status_code, without.status_code] == [401, 401]
