"""The contents of /metrics, access to them, and sums over the processes of one server."""

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from tests.support.databases import on_sqlite
from tests.support.factories import Acme, invite, make_api_key, make_organization, set_delivery, token_of
from tests.support.server import ServerProcess
from tests.support.visitor import Visitor

TOKEN = "a token for the metrics, made up"


def read(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return each value by its name and the values of its labels, in their order."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(one.name, tuple(value for _, value in sorted(one.labels.items()))): one.value for one in samples}


def value(client: FlaskClient, name: str, *labels: str) -> float:
    return read(client.get("/metrics").text).get((name, labels), 0.0)


@on_sqlite
class TestAccess:
    @pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
    def test_local_address_may_read(self, client: FlaskClient, peer: str) -> None:
        answer = client.get("/metrics", environ_base={"REMOTE_ADDR": peer})
        assert (answer.status_code, answer.mimetype) == (200, "text/plain")

    @pytest.mark.parametrize("peer", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "", "unix:", "127.0.0.1.example"])
    def test_remote_address_may_not(self, client: FlaskClient, peer: str) -> None:
        answer = client.get("/metrics", environ_base={"REMOTE_ADDR": peer})
        assert answer.status_code == 404
        assert "invite_" not in answer.text

    @pytest.mark.parametrize("proxies", ["0", "1"])
    @pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
    def test_local_address_behind_a_proxy_may_not(
        self, make_app: Callable[..., Flask], proxies: str, header: str
    ) -> None:
        client = make_app(INVITE_TRUSTED_PROXIES=proxies).test_client()
        for said in ("192.0.2.1", "127.0.0.1", "127.0.0.1, 192.0.2.1"):
            assert client.get("/metrics", headers={header: said}).status_code == 404

    def test_forged_local_address_may_not(self, make_app: Callable[..., Flask]) -> None:
        client = make_app(INVITE_TRUSTED_PROXIES="1").test_client()
        stranger: Any = {"REMOTE_ADDR": "192.0.2.1"}
        answer = client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}, environ_base=stranger)
        assert answer.status_code == 404

    def test_bearer_of_the_token_may_read(self, make_app: Callable[..., Flask]) -> None:
        client = make_app(INVITE_METRICS_TOKEN=TOKEN).test_client()
        stranger: Any = {"REMOTE_ADDR": "192.0.2.1"}
        given = {f"Bearer {TOKEN}": 200, f"bearer {TOKEN}": 200, TOKEN: 404, "Bearer ": 404, "Bearer x": 404}
        for header, status in given.items():
            answer = client.get("/metrics", headers={"Authorization": header}, environ_base=stranger)
            assert answer.status_code == status, header

    def test_missing_token_is_not_an_empty_token(self, client: FlaskClient) -> None:
        for header in ("Bearer ", "Bearer", "", "\udcff"):
            answer = client.get("/metrics", environ_base={"REMOTE_ADDR": "192.0.2.1", "HTTP_AUTHORIZATION": header})
            assert answer.status_code == 404


class TestValues:
    @pytest.fixture
    def acme(self, app: Flask) -> Acme:
        with app.app_context():
            return make_organization()

    def test_requests_by_route_method_and_status(self, client: FlaskClient, acme: Acme) -> None:
        route = "/organizations/<uuid:organization_id>/members"
        before = value(client, "invite_requests_total", "GET", route, "303")
        timed = value(client, "invite_request_seconds_count", "GET", route)
        client.get(f"/organizations/{acme.id}/members")
        client.get("/nowhere/at/all")
        client.open("/sign-in", method="BREW")
        assert value(client, "invite_requests_total", "GET", route, "303") == before + 1
        assert value(client, "invite_request_seconds_count", "GET", route) == timed + 1
        assert value(client, "invite_requests_total", "GET", "none", "404") >= 1
        assert value(client, "invite_requests_total", "other", "none", "405") >= 1

    def test_invitations_by_dialect_and_result(self, app: Flask, client: FlaskClient, acme: Acme) -> None:
        with app.app_context():
            headers = make_api_key(acme).headers
        ask = {"given_name": "Ana", "family_name": "Guest", "email": "ana@guest.example", "role": "member"}
        expected = {
            ("deepset", "sent"): 1.0,
            ("deepset", "InvitationPending"): 1.0,
            ("deepset", "malformed"): 1.0,
            ("clerk", "RoleNotFound"): 1.0,
            ("pages", "sent"): 1.0,
            ("pages", "AlreadyMember"): 1.0,
        }
        before = {labels: value(client, "invite_invitations_total", *labels) for labels in expected}
        path = f"/api/v1/organization/{acme.id}/invitation"
        for body in (ask, ask, {}):
            client.post(path, json=body, headers=headers)
        wanted = {"email_address": "bo@guest.example", "role": "captain"}
        client.post(f"/v1/organizations/{acme.id}/invitations", json=wanted, headers=headers)
        visitor, form = Visitor(app).sign_in(acme.owner), f"/organizations/{acme.id}/invitations/new"
        visitor.go(form, email="cy@guest.example", given_name="C", family_name="Y", role="member")
        visitor.submit(form, email=acme.member.email, given_name="M", family_name="M", role="member")
        after = {labels: value(client, "invite_invitations_total", *labels) for labels in expected}
        assert {labels: after[labels] - before[labels] for labels in expected} == expected

    def test_current_outbox(self, make_app: Callable[..., Flask], acme: Acme) -> None:
        app = make_app(INVITE_MAIL_SERVER="127.0.0.1", INVITE_MAIL_DELIVERY="queued")
        with app.app_context():
            invite(acme, "ana@guest.example")
            failed = invite(acme, "bo@guest.example")
            set_delivery(failed, state="failed", reason="no such user")
        client = app.test_client()
        found = read(client.get("/metrics").text)
        assert found["invite_database_up", ()] == 1
        assert (found["invite_outbox_messages", ()], found["invite_outbox_due", ()]) == (1, 1)
        assert found["invite_outbox_oldest_seconds", ()] >= 0
        assert found["invite_outbox_given_up", ()] == 1
        assert found["invite_deliveries_last_hour", ("failed",)] == 1

    def test_unreachable_database_is_reported(self, make_app: Callable[..., Flask], tmp_path: Path) -> None:
        app = make_app(INVITE_DATABASE_URL=f"sqlite:///{tmp_path / 'no' / 'such.sqlite'}")
        found = read(app.test_client().get("/metrics").text)
        assert found["invite_database_up", ()] == 0
        assert ("invite_outbox_messages", ()) not in found

    def test_no_label_is_an_address_id_or_token(self, app: Flask, client: FlaskClient, acme: Acme) -> None:
        with app.app_context():
            sent = invite(acme)
            token, key = token_of(sent), make_api_key(acme)
        for path in (
            f"/invitations/{token}",
            f"/organizations/{acme.id}/invitations/{sent.id}",
            f"/{acme.owner.email}",
        ):
            client.get(path)
        client.get(f"/api/v1/organization/{acme.id}/invitations/{sent.id}", headers=key.headers)
        text = client.get("/metrics").text
        secrets = (token, str(acme.id), str(sent.id), acme.owner.email, "guest.example", key.secret, str(key.id))
        assert not [secret for secret in secrets if secret in text]
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", text)


@on_sqlite
def test_processes_sum_counts_and_keep_past_ones(start_process: Callable[..., ServerProcess], tmp_path: Path) -> None:
    server = start_process("gunicorn", "--max-requests", "5", "--max-requests-jitter", "2", TMPDIR=str(tmp_path))
    for _ in range(40):
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(f"{server.url}/counted/nowhere")
        answer.value.close()
    with urllib.request.urlopen(f"{server.url}/metrics") as answer:
        found = read(answer.read().decode())
    assert found["invite_requests_total", ("GET", "none", "404")] == 40
    assert server.output.count("Booting worker") > 4
    assert len(list(tmp_path.glob("invite_app-metrics-*/counter_*.db"))) <= 4
    assert server.stop() == 0
    assert not list(tmp_path.glob("invite_app-metrics-*"))


def test_importing_leaves_no_files_counters_cannot_open(tmp_path: Path) -> None:
    show = f"print(sorted(os.listdir({str(tmp_path)!r})))"
    start = "import os; from invite_app.observability.metrics import REQUESTS"
    code = f"{start}; {show}; REQUESTS.labels(*'abc').inc(); {show}"
    environ = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    completed = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert completed.stdout.splitlines() == ["[]", "['0.lock', 'counter_0.db']"]
