"""Clients over a limit are told when to retry, in every dialect."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from invite_app.services import organizations
from invite_app.services.rate_limits import limits, memory
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, make_api_key, make_organization

pytestmark = on_sqlite


@pytest.mark.parametrize(
    "path", ["/api/v1/me", "/api/auth/me", "/v1/organizations/{id}", "/v1/organizations/{id}/members"]
)
def test_key_over_limit_gets_a_retry_time(
    path: str, make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(limits.RULES, "requests by key", memory.Rule(3, limits.MINUTE))
    app = make_app(INVITE_RATE_LIMITS="on")
    with app.app_context():
        acme = make_organization()
        key, other = make_api_key(acme), make_api_key(acme)
    client, path = app.test_client(), path.format(id=acme.id)
    for _ in range(3):
        assert client.get(path, headers=key.headers).status_code == 200
    answer = client.get(path, headers=key.headers)
    assert (answer.status_code, answer.content_type) == (429, "application/json")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert client.get(path, headers=other.headers).status_code == 200


Limited = Callable[[str, int], tuple[FlaskClient, Acme, dict[str, str]]]


@pytest.fixture
def limited(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> Limited:
    """Return a client with an owner's key and one lowered limit: `limited("answers by actor", 2)`."""

    def limited(rule: str, most: int) -> tuple[FlaskClient, Acme, dict[str, str]]:
        monkeypatch.setitem(limits.RULES, rule, memory.Rule(most, limits.HOUR))
        app = make_app(INVITE_RATE_LIMITS="on")
        with app.app_context():
            acme = make_organization()
            return app.test_client(), acme, make_api_key(acme).headers

    return limited


def test_refused_requests_of_key_are_limited(limited: Limited) -> None:
    client, acme, headers = limited("refusals by key", 2)
    wrong = f"/api/v1/users/{acme.id}"
    statuses = [client.get(path, headers=headers).status_code for path in (wrong, "/api/v1/me", wrong, wrong)]
    assert statuses == [404, 200, 404, 429]
    answer = client.get("/api/v1/me", headers=headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, answer.headers["Retry-After"])
    assert "too many refused requests" in answer.get_json()["detail"].lower()


def test_stored_responses_are_limited(limited: Limited) -> None:
    client, _, headers = limited("answers by actor", 2)

    def make(name: str, **more: str) -> int:
        return client.post("/api/v1/workspaces", json={"name": name}, headers={**headers, **more}).status_code

    names = ["one", "one", "two", "three"]
    assert [make(name, **{"Idempotency-Key": name}) for name in names] == [201, 201, 201, 429]
    assert make("three") == 201


def test_creating_organizations_is_limited(limited: Limited) -> None:
    client, acme, headers = limited("organizations by founder", 2)
    names = ["", "One", "Two", "Three"]
    statuses = [client.post("/v1/organizations", json={"name": name}, headers=headers).status_code for name in names]
    assert statuses == [422, 200, 200, 429]
    with client.application.app_context():
        assert sorted(one.name for one in organizations.list_for_user(acme.owner.id)) == ["Acme", "One", "Two"]
