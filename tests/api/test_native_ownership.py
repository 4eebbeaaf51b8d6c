"""Ownership transfer, timelines and statistics through the native API."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from invite_app.services import invitations
from invite_app.services.invitations import tracking
from tests.support.factories import PASSWORD, Acme, Key, Person, invite, make_api_key, make_organization, token_of

SignedIn = Callable[[Person], FlaskClient]
AJAX = {"X-Requested-With": "fetch"}


@pytest.fixture
def acme(app: Flask) -> Acme:
    with app.app_context():
        return make_organization()


@pytest.fixture
def owner(app: Flask, acme: Acme) -> Key:
    with app.app_context():
        return make_api_key(acme, "owner")


def path_of(acme: Acme, rest: str = "ownership-offer") -> str:
    return f"/api/v1/organization/{acme.id}/{rest}"


def role_of(browser: FlaskClient, acme: Acme, person: Person) -> str:
    return str(browser.get(path_of(acme, f"members/{person.id}")).get_json()["role"])


class TestOwnershipTransfer:
    """Only signed-in people can transfer ownership; API keys cannot."""

    def test_takes_effect_when_the_new_owner_accepts(self, acme: Acme, signed_in: SignedIn) -> None:
        owner, new_owner = signed_in(acme.owner), signed_in(acme.admin)
        offer = owner.put(path_of(acme), json={"user_id": str(acme.admin.id)}, headers=AJAX)
        assert (offer.status_code, offer.get_json()["heir_id"]) == (200, str(acme.admin.id))
        assert new_owner.get(path_of(acme)).get_json() == offer.get_json()
        assert role_of(owner, acme, acme.admin) == "admin"
        assert new_owner.post(path_of(acme, "ownership-offer/accept"), headers=AJAX).status_code == 204
        assert (role_of(new_owner, acme, acme.admin), role_of(new_owner, acme, acme.owner)) == ("owner", "admin")

    def test_can_be_withdrawn_and_declined(self, acme: Acme, signed_in: SignedIn) -> None:
        owner, new_owner = signed_in(acme.owner), signed_in(acme.admin)
        for person in (owner, new_owner):
            owner.put(path_of(acme), json={"user_id": str(acme.admin.id)}, headers=AJAX)
            assert person.delete(path_of(acme), headers=AJAX).status_code == 204
            assert new_owner.post(path_of(acme, "ownership-offer/accept"), headers=AJAX).status_code == 404

    def test_is_hidden_from_everyone_else(self, acme: Acme, signed_in: SignedIn, owner: Key) -> None:
        third, body = signed_in(acme.member), {"user_id": str(acme.admin.id)}
        signed_in(acme.owner).put(path_of(acme), json=body, headers=AJAX)
        assert third.get(path_of(acme)).status_code == 404
        assert third.delete(path_of(acme), headers=AJAX).status_code == 404
        assert signed_in(acme.admin).put(path_of(acme), json=body, headers=AJAX).status_code == 403
        assert signed_in(acme.owner).put(path_of(acme), json=body, headers=owner.headers).status_code == 403


def test_timeline_lists_actions_and_tracking_events(app: Flask, client: FlaskClient, acme: Acme, owner: Key) -> None:
    with app.app_context():
        invitation = invite(acme, "ana@guest.example")
        token = token_of(invitation)
        tracking.record_opened(token)
        invitations.accept_with_new_account(token, invitations.NewProfile("Ana", "Sousa", PASSWORD))
        one = invitation.id
    answer = client.get(path_of(acme, f"invitations/{one}/timeline"), headers=owner.headers)
    kinds = [entry["kind"] for entry in answer.get_json()["entries"]]
    assert kinds == ["invitation.accepted", "opened", "invitation.sent"]
    assert token not in answer.text


def test_statistics_count_sent_and_accepted_invitations(
    app: Flask, client: FlaskClient, acme: Acme, owner: Key
) -> None:
    with app.app_context():
        invite(acme, "bo@guest.example")
        accepted = token_of(invite(acme, "ana@guest.example"))
        invitations.accept_with_new_account(accepted, invitations.NewProfile("Ana", "Sousa", PASSWORD))
    statistics = client.get(path_of(acme, "statistics"), headers=owner.headers).get_json()
    assert (statistics["sent"], statistics["accepted"], statistics["counts"]["pending"]) == (2, 1, 1)
    assert len(statistics["weeks"]) == 12
    assert statistics["median_seconds_to_accept"] >= 0
