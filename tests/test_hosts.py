"""Host names that the app accepts."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from invite_app.web.hosts import PROBES
from tests.support.databases import on_sqlite

pytestmark = on_sqlite


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app(INVITE_EXTERNAL_URL="https://invite.example.com", INVITE_TRUSTED_PROXIES="1").test_client()


@pytest.mark.parametrize("host", ["10.0.0.7:8000", "pod-1", "elsewhere.example", "[2001:db8::1]:80", "a b", ""])
@pytest.mark.parametrize("path", sorted(PROBES))
@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
def test_probes_answer_any_host(client: FlaskClient, path: str, host: str, header: str) -> None:
    assert client.get(path, headers={header: host}, environ_base={"REMOTE_ADDR": "127.0.0.1"}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["invite.example.com", "INVITE.Example.com", "invite.example.com.", "Invite.example.COM.:80", "LOCALHOST"],
)
@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
def test_hosts_match_without_case_and_trailing_dot(client: FlaskClient, host: str, header: str) -> None:
    assert client.get("/sign-in", headers={header: host}).status_code == 200


@pytest.mark.parametrize("host", ["elsewhere.example", "invite.example.com..", ".", "invite.example.com.evil"])
@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
def test_other_hosts_are_refused(client: FlaskClient, host: str, header: str) -> None:
    assert client.get("/sign-in", headers={header: host}).status_code == 400
    assert client.get("/healthz/", headers={header: host}).status_code == 400
