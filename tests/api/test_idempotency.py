"""`Idempotency-Key`: a repeated request gets the first response again."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any, NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from invite_app.db import session
from invite_app.errors import RateLimited
from invite_app.models import IdempotencyKey
from invite_app.services import api_keys, idempotency, invitations, members
from tests.support.factories import Acme, Key, configure
from tests.support.mail import SmtpServer

ANA = {"given_name": "Ana", "family_name": "Guest", "email": "ana@guest.example", "role": "member"}
Post = Callable[..., TestResponse]


@pytest.fixture
def post(client: FlaskClient, acme: Acme, key: Key) -> Post:
    """Invite Ana with the idempotency key `one`, unless the arguments say otherwise."""

    def post(name: str = "one", by: Key = key, via: FlaskClient = client, **changes: Any) -> TestResponse:
        headers = {**by.headers, "Idempotency-Key": name}
        return via.post(f"/api/v1/organization/{acme.id}/invitation", json={**ANA, **changes}, headers=headers)

    return post


def is_replayed(answer: TestResponse) -> bool:
    return answer.headers.get("Idempotent-Replayed") == "true"


def test_repeat_returns_the_response_without_acting_again(app: Flask, post: Post, acme: Acme) -> None:
    first, second = post(), post()
    assert (first.status_code, first.data, is_replayed(first)) == (201, second.data, False)
    assert (second.status_code, is_replayed(second)) == (201, True)
    with app.app_context():
        assert invitations.list_page(acme.id, by=acme.owner.actor).total == 1


def test_different_body_is_refused(post: Post) -> None:
    assert post().status_code == 201
    answer = post(email="bo@guest.example")
    assert (answer.status_code, answer.get_json()["detail"][0]["loc"]) == (422, ["header", "Idempotency-Key"])


def test_key_is_scoped_to_route_and_actor(
    client: FlaskClient, post: Post, key: Key, make_key: Callable[..., Key]
) -> None:
    assert post().status_code == 201
    assert post("two").status_code == 409
    assert post(by=make_key("admin")).status_code == 409
    named = {**key.headers, "Idempotency-Key": "one"}
    assert client.post("/api/v1/workspaces", json={"name": "Lab"}, headers=named).status_code == 201
    assert client.post("/api/v1/workspaces", json={"name": "Lab"}, headers=named).status_code == 201


def test_error_is_stored(app: Flask, post: Post, acme: Acme) -> None:
    with app.app_context():
        configure(acme, plan="free")
    assert post().status_code == 402
    with app.app_context():
        configure(acme, plan="paid")
    assert (post().status_code, post("two").status_code) == (402, 201)


def kept(app: Flask) -> list[str]:
    with app.app_context():
        return list(session().scalars(select(IdempotencyKey.answer)))


@pytest.mark.parametrize("field", ["role", "email", "given_name"])
def test_stored_error_has_at_most_4_kib(field: str, app: Flask, post: Post) -> None:
    answers = [post(**{field: "x" * 900_000}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].data == answers[1].data
    assert all(len(answer) <= 4096 for answer in kept(app))


def test_large_dry_run_response_is_not_stored(app: Flask, client: FlaskClient, acme: Acme, key: Key) -> None:
    rows = {"invitations": [{**ANA, "email": f"ana{number}@guest.example"} for number in range(100)]}
    path = f"/api/v1/organization/{acme.id}/invitations/bulk?dry_run=true"
    headers = {**key.headers, "Idempotency-Key": "one"}
    for _ in range(2):
        answer = client.post(path, json=rows, headers=headers)
        assert (answer.status_code, answer.get_json()["accepted"], is_replayed(answer)) == (200, 100, False)
    assert kept(app) == []


def test_temporary_failure_is_not_stored(smtp_app: Flask, smtp: SmtpServer, post: Post) -> None:
    smtp.fail("451 4.7.1 later", times=1)
    via = smtp_app.test_client()
    assert (post(via=via).status_code, post(via=via).status_code, len(smtp.messages)) == (503, 201, 1)


def test_rate_limit_error_is_not_stored(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def error_response(*_: Any, **__: Any) -> NoReturn:
        raise RateLimited(17)

    with monkeypatch.context() as patched:
        patched.setattr(invitations, "send", error_response)
        assert post().status_code == 429
    assert post().status_code == 201


def test_rejected_address_is_stored(smtp_app: Flask, smtp: SmtpServer, post: Post) -> None:
    smtp.fail("550 5.1.1 no such user", times=1)
    via = smtp_app.test_client()
    assert (post(via=via).status_code, post(via=via).status_code, len(smtp.messages)) == (422, 422, 0)


def test_response_needs_the_permission_again(app: Flask, post: Post, acme: Acme, key: Key) -> None:
    assert post().status_code == 201
    with app.app_context():
        api_keys.revoke(acme.id, key.id, by=acme.owner.actor)
    assert post().status_code == 401


def test_response_is_not_repeated_after_demotion(
    app: Flask, post: Post, acme: Acme, make_key: Callable[..., Key]
) -> None:
    key = make_key("admin", acme.admin)
    assert post(by=key).status_code == 201
    with app.app_context():
        members.change_role(acme.id, acme.admin.id, "member", by=acme.owner.actor)
    assert post(by=key).status_code == 403
    assert post(by=key, given_name="Another").status_code == 403


@pytest.mark.parametrize("name", ["", "a" * 256, "a\tb"])
def test_invalid_key_is_refused(post: Post, name: str) -> None:
    answer = post(name)
    assert (answer.status_code, answer.get_json()["detail"][0]["loc"]) == (422, ["header", "Idempotency-Key"])


def test_process_died_before_responding(post: Post, monkeypatch: pytest.MonkeyPatch, app: Flask, acme: Acme) -> None:
    """The action and its response were committed together, so the action is not repeated."""
    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "complete", lambda *_: None)
        assert post().status_code == 201
    assert post().get_json() == {
        "detail": "The first request with this Idempotency-Key is still running. Try again in a moment."
    }
    monkeypatch.setattr(idempotency, "IN_PROGRESS_TIMEOUT", idempotency.IN_PROGRESS_TIMEOUT * 0)
    answer = post()
    assert (answer.status_code, answer.get_json()["email"]) == (201, "ana@guest.example")


def test_simultaneous_requests(app: Flask, post: Post, acme: Acme) -> None:
    answers: list[TestResponse] = []
    barrier = Barrier(4)

    def run() -> None:
        barrier.wait()
        answers.append(post(via=app.test_client()))

    threads = [Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(answer.status_code for answer in answers)
    assert (statuses[0], set(statuses) <= {201, 409}) == (201, True)
    running = {answer.get_json()["detail"] for answer in answers if answer.status_code == 409}
    assert running <= {"The first request with this Idempotency-Key is still running. Try again in a moment."}
    assert (post().status_code, is_replayed(post())) == (201, True)


def test_bulk_invitation_is_sent_once(client: FlaskClient, acme: Acme, key: Key) -> None:
    url, headers = f"/api/v1/organization/{acme.id}/invitations/bulk", {**key.headers, "Idempotency-Key": "list"}
    rows = {"invitations": [{"email": "bo@guest.example", "role": "member"}]}
    first, second = (client.post(url, json=rows, headers=headers) for _ in range(2))
    assert (first.data, first.get_json()["accepted"]) == (second.data, 1)
    assert client.post(url + "?dry_run=true", json=rows, headers=headers).get_json()["accepted"] == 0
