"""In every dialect, bodies are read only with permission, within a limit, and answered with bounded work."""

import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from invite_app.api import DIALECTS
from invite_app.web.request_limits import MIB, PUBLIC_BYTES
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, Key, make_api_key, make_role

from .test_openapi import document, operations, resolved

__all__ = ["document"]
pytestmark = on_sqlite

CHUNKED = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
NATIVE_BULK = "/api/v1/organization/{id}/invitations/bulk"
CLERK_BULK = "/v1/organizations/{id}/invitations/bulk"
INVITING = {
    "deepset": "/api/v1/organization/{id}/invitation",
    "clerk": "/v1/organizations/{id}/invitations",
    "trieve": "/api/invitation",
    "almanac": "/v1/organizations/{id}/members/invite",
}
ENVELOPES = {"deepset": "detail", "clerk": "errors", "trieve": "message", "almanac": "detail"}
INTEGERS = b'{"invitations":[' + b"1," * (5 * MIB - 20) + b"1]}"
each_dialect = pytest.mark.parametrize("dialect", INVITING)


class Unreadable(BytesIO):
    """A body that fails the test when it is read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readinto = read  # type: ignore[assignment]  # neither returns


@pytest.fixture
def powerless(app: Flask, acme: Acme) -> Key:
    with app.app_context():
        make_role(acme, "Nothing", set())
        return make_api_key(acme, "nothing")


@pytest.fixture
def send(client: FlaskClient, acme: Acme, key: Key) -> Callable[..., TestResponse]:
    """Send a body to the inviting operation of a dialect."""

    def send(dialect: str, body: bytes, environ: dict[str, Any] | None = None, **headers: str) -> TestResponse:
        return client.post(
            INVITING[dialect].format(id=acme.id),
            input_stream=BytesIO(body),
            content_type="application/json",
            headers={**key.headers, "TR-Organization": str(acme.id), **headers},
            environ_overrides=environ or {"CONTENT_LENGTH": str(len(body))},
        )

    return send


@each_dialect
def test_chunked_body_over_limit_is_413(dialect: str, send: Callable[..., TestResponse]) -> None:
    answer = send(dialect, json.dumps({"x": "x" * MIB}).encode(), CHUNKED)
    assert answer.status_code == 413
    assert ENVELOPES[dialect] in answer.get_json()


@each_dialect
def test_chunked_body_within_limit_is_read(dialect: str, send: Callable[..., TestResponse]) -> None:
    answer = send(dialect, b'{"role":3}', CHUNKED)
    assert answer.status_code == (400 if dialect == "trieve" else 422)


@each_dialect
@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip"])
def test_encoded_body_is_415(dialect: str, encoding: str, send: Callable[..., TestResponse]) -> None:
    answer = send(dialect, b"\x1f\x8b", **{"Content-Encoding": encoding})
    assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "identity")
    assert ENVELOPES[dialect] in answer.get_json()


@each_dialect
def test_identity_encoding_is_read(dialect: str, send: Callable[..., TestResponse]) -> None:
    answer = send(dialect, b"{}", **{"Content-Encoding": "identity"})
    assert answer.status_code == (400 if dialect == "trieve" else 422)


def large_requests(acme: Acme) -> Iterator[tuple[str, str, str, int]]:
    for dialect in DIALECTS:
        for endpoint in dialect.endpoints:
            if "body" in endpoint.parameters and not endpoint.is_public:
                assert endpoint.permission, endpoint.operation_id
                path = endpoint.path.replace("{organization_id}", str(acme.id)).replace("{", "").replace("}", "")
                reads_body_for_address = dialect.name == "trieve" and path == endpoint.path
                yield dialect.name, endpoint.method, path, 413 if reads_body_for_address else 403


def test_large_body_without_permission_stays_unread(client: FlaskClient, acme: Acme, powerless: Key) -> None:
    cases = list(large_requests(acme))
    assert {dialect for dialect, *_ in cases} == set(INVITING)
    for dialect, method, path, status in cases:
        answer = client.open(
            path,
            method=method,
            input_stream=Unreadable(),
            content_type="application/json",
            headers={**powerless.headers, "TR-Organization": str(acme.id)},
            environ_overrides={"CONTENT_LENGTH": str(10 * MIB)},
        )
        assert answer.status_code == status, (dialect, method, path)


def test_public_operation_reads_a_small_body_only(client: FlaskClient) -> None:
    body = {"word": "x" * PUBLIC_BYTES}
    assert client.post("/api/v1/invitations/none/decline", json=body).status_code == 413


def post(client: FlaskClient, path: str, body: bytes, key: Key) -> tuple[TestResponse, float]:
    """Return the response and the processor time it took."""
    begun = time.process_time()
    answer = client.post(path, data=body, content_type="application/json", headers=key.headers)
    return answer, time.process_time() - begun


def test_refusal_without_permission_is_cheap(client: FlaskClient, acme: Acme, powerless: Key) -> None:
    path = NATIVE_BULK.format(id=acme.id)
    post(client, path, b"{}", powerless)
    tracemalloc.start()
    try:
        answer, seconds = post(client, path, INTEGERS, powerless)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 403
    assert seconds < 0.2
    assert peak < 20 * MIB


LARGE = {
    "integers": (NATIVE_BULK, INTEGERS, 422),
    "objects": (NATIVE_BULK, b'{"invitations":[' + b"{}," * (3 * MIB) + b"{}]}", 422),
    "numbers": (NATIVE_BULK, b'{"invitations":[' + b"1e1," * (2 * MIB) + b"1]}", 422),
    "names": (INVITING["clerk"], b"{" + b",".join(b'"%x":1' % n for n in range(90_000)) + b"}", 422),
    "ids": (INVITING["deepset"], b'{"workspace_ids":[' + b"1," * 450_000 + b"1]}", 422),
    "empty": (CLERK_BULK, b"[" + b"{}," * 300_000 + b"{}]", 400),
}


@pytest.mark.parametrize("name", LARGE)
def test_refusal_with_permission_is_bounded(name: str, client: FlaskClient, acme: Acme, key: Key) -> None:
    path, body, status = LARGE[name]
    post(client, path.format(id=acme.id), b"{}", key)
    answer, seconds = post(client, path.format(id=acme.id), body, key)
    assert answer.status_code == status
    assert seconds < 2
    assert len(answer.data) < 100 * 2048


def test_response_lists_at_most_100_errors(client: FlaskClient, acme: Acme, key: Key) -> None:
    ids = {"workspace_ids": list(range(500))}
    answer = client.post(INVITING["deepset"].format(id=acme.id), json=ids, headers=key.headers)
    assert len(answer.get_json()["detail"]) == 100


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("ü" * 512, "ü" * 512),
        ("ü" * 513, "ü" * 512),
        ({"a": 1}, {"a": 1}),
        ({"a": "x" * 1016}, {"a": "x" * 1016}),
        ({"a": "x" * 1017}, '{"a":"' + "x" * 1017 + '"'),
    ],
)
def test_input_is_cut_to_one_kib(given: Any, expected: Any, client: FlaskClient, acme: Acme, key: Key) -> None:
    body = {"given_name": "Ana", "family_name": "Guest", "email": "ana@guest.example", "role": "member"}
    path = INVITING["deepset"].format(id=acme.id)
    answer = client.post(path, json={**body, "workspace_ids": given}, headers=key.headers)
    assert [problem["input"] for problem in answer.get_json()["detail"]] == [expected]


def test_lists_in_requests_have_length_limits(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        parts = [parameter["schema"] for parameter in operation["parameters"]]
        if "requestBody" in operation:
            parts.append(operation["requestBody"]["content"]["application/json"]["schema"])
        for schema in arrays(resolved(document, parts)):
            assert "maxItems" in schema, (path, method, schema)


def arrays(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("type") == "array":
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from arrays(item)
