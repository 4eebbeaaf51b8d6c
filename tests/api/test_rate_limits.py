"""Programs that ask too much are told when to come back, in every dialect."""

from collections.abc import Callable

import pytest
from flask import Flask

from invite_app.services import rate_limits
from tests.support.databases import on_sqlite
from tests.support.factories import make_api_key, make_organization


@on_sqlite
@pytest.mark.parametrize(
    "path", ["/api/v1/me", "/api/auth/me", "/v1/organizations/{id}", "/v1/organizations/{id}/members"]
)
def test_a_key_that_asks_too_often_is_told_when_to_come_back(
    path: str, make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.RULES, "requests by key", rate_limits.Rule(3, rate_limits.MINUTE))
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
