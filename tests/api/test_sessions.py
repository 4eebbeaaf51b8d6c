"""The session cookie works for the API, but not for requests forged by other sites."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from invite_app.api.authentication import ORGANIZATION_HEADERS
from invite_app.services import members
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, Key, Person, add_member, make_organization

pytestmark = on_sqlite
SignedIn = Callable[[Person], FlaskClient]
ANA = {"given_name": "Ana", "family_name": "Guest", "email": "ana@guest.example", "role": "member"}


def test_reading_needs_only_the_cookie(signed_in: SignedIn, acme: Acme) -> None:
    answer = signed_in(acme.admin).get("/api/v1/me")
    assert answer.get_json()["email"] == acme.admin.email


@pytest.mark.parametrize("header", ["X-Requested-With", *ORGANIZATION_HEADERS])
def test_writing_needs_a_header_other_sites_cannot_send(signed_in: SignedIn, acme: Acme, header: str) -> None:
    browser, url = signed_in(acme.admin), f"/api/v1/organization/{acme.id}/invitation"
    headers = {header: str(acme.id)}
    assert browser.post(url, json=ANA).status_code == 401
    assert browser.post(url, json=ANA, headers=headers).status_code == 201


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_form_of_another_site_changes_nothing(signed_in: SignedIn, acme: Acme, content_type: str) -> None:
    url = f"/api/v1/organization/{acme.id}/invitation"
    assert signed_in(acme.owner).post(url, data=b"{}", content_type=content_type).status_code == 401


def test_key_takes_precedence_over_the_cookie(signed_in: SignedIn, acme: Acme, key: Key) -> None:
    browser = signed_in(acme.admin)
    assert browser.get("/api/v1/me", headers=key.headers).get_json()["email"] == acme.owner.email
    assert browser.get("/api/v1/me", headers={"Authorization": "Bearer sk_wrong"}).status_code == 401


def test_removed_member_loses_access_immediately(app: Flask, signed_in: SignedIn, acme: Acme) -> None:
    browser = signed_in(acme.admin)
    with app.app_context():
        members.remove(acme.id, acme.admin.id, by=acme.owner.actor)
    assert browser.get(f"/api/v1/organization/{acme.id}/invitations").status_code == 404
    assert browser.get("/api/v1/me").status_code == 404


@pytest.mark.parametrize("header", ORGANIZATION_HEADERS)
def test_member_of_several_organizations_names_one(app: Flask, signed_in: SignedIn, acme: Acme, header: str) -> None:
    with app.app_context():
        other = make_organization("Other")
        add_member(other, acme.member)
    browser = signed_in(acme.member)
    assert browser.get("/api/v1/me").status_code == 404
    for organization in (acme, other):
        answer = browser.get("/api/v1/me", headers={header: str(organization.id)})
        assert answer.get_json()["organization"]["name"] == organization.name
    assert browser.get("/api/v1/me", headers={header: "nowhere"}).status_code == 404
