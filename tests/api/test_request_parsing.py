"""Errors of malformed bodies equal FastAPI's byte for byte; no input causes a server error."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.support.databases import on_postgres, on_sqlite
from tests.support.factories import Acme, Key

ANA = {"given_name": "Ana", "family_name": "Guest", "email": "ana@guest.example", "role": "member"}
NO_OBJECT = "Input should be a valid dictionary or object to extract fields from"
Send = Callable[..., TestResponse]


@pytest.fixture
def send(client: FlaskClient, acme: Acme, key: Key) -> Send:
    """Send bytes to the invitation endpoint."""

    def send(data: bytes | str, content_type: str | None = "application/json") -> TestResponse:
        url = f"/api/v1/organization/{acme.id}/invitation"
        return client.post(url, data=data, content_type=content_type, headers=key.headers)

    return send


def with_field(**changes: Any) -> str:
    return json.dumps({**ANA, **changes})


def missing(*fields: str, given: str) -> str:
    problems = ",".join(
        f'{{"type":"missing","loc":["body","{field}"],"msg":"Field required","input":{given}}}' for field in fields
    )
    return f'{{"detail":[{problems}]}}'


def not_json(position: int, reason: str) -> str:
    return (
        f'{{"detail":[{{"type":"json_invalid","loc":["body",{position}],"msg":"JSON decode error","input":{{}},'
        f'"ctx":{{"error":"{reason}"}}}}]}}'
    )


def detail(kind: str, field: str, msg: str, given: str) -> str:
    return f'{{"detail":[{{"type":"{kind}","loc":["body",{field}],"msg":"{msg}","input":{given}}}]}}'


def no_object(given: str) -> str:
    return f'{{"detail":[{{"type":"model_attributes_type","loc":["body"],"msg":"{NO_OBJECT}","input":{given}}}]}}'


FIELDS = ("given_name", "family_name", "email", "role")
NO_BODY = '{"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]}'
NO_UUID = (
    '{"detail":[{"type":"uuid_parsing","loc":["body","workspace_ids",0],'
    '"msg":"Input should be a valid UUID, invalid character: found `x` at 0","input":"x",'
    '"ctx":{"error":"invalid character: found `x` at 0"}},'
    '{"type":"uuid_type","loc":["body","workspace_ids",1],'
    '"msg":"UUID input should be a string, bytes or UUID object","input":1}]}'
)
PROPERTY_NAME = "Expecting property name enclosed in double quotes"

CASES: dict[str, tuple[bytes | str, str]] = {
    "no body": (b"", NO_BODY),
    "nothing in it": ("{}", missing(*FIELDS, given="{}")),
    "a field missing": (
        '{"given_name":"Ana","family_name":"Guest","email":"ana@guest.example"}',
        missing("role", given='{"given_name":"Ana","family_name":"Guest","email":"ana@guest.example"}'),
    ),
    "no string": (
        with_field(role=3),
        detail("string_type", '"role"', "Input should be a valid string", "3"),
    ),
    "null": (
        with_field(email=None),
        detail("string_type", '"email"', "Input should be a valid string", "null"),
    ),
    "no list": (
        with_field(workspace_ids="x"),
        detail("list_type", '"workspace_ids"', "Input should be a valid list", '"x"'),
    ),
    "no UUID": (
        with_field(workspace_ids=["x", 1]),
        NO_UUID,
    ),
    "several at once, with what was sent": (
        '{"role":"ü","given_name":[]}',
        detail("string_type", '"given_name"', "Input should be a valid string", "[]").removesuffix("]}")
        + ","
        + missing("family_name", "email", given='{"role":"ü","given_name":[]}').removeprefix('{"detail":['),
    ),
    "an array": ("[]", no_object("[]")),
    "null as body": ("null", no_object("null")),
    "a number": ("1", no_object("1")),
    "a string": ('"a"', no_object('"a"')),
    "half an object": ("{", not_json(1, PROPERTY_NAME)),
    "no JSON": ("not json at all", not_json(0, "Expecting value")),
    "only a space": (" ", not_json(1, "Expecting value")),
    "no UTF-8": (b'{"role":"\xff"}', not_json(9, "Text is not valid UTF-8")),
    "NaN": ('{"role":NaN}', not_json(0, "NaN is not JSON")),
    "infinity": ('{"role":-Infinity}', not_json(0, "-Infinity is not JSON")),
    "infinity in disguise": ('{"role":1e999}', not_json(0, "Number is too large")),
    "NaN where nobody looks": (with_field(other=float("nan")), not_json(0, "NaN is not JSON")),
    "deeper than Python goes": ("[" * 30_000 + "]" * 30_000, not_json(0, "Nested too deeply")),
    "deeper than can be written": ("[" * 500 + "]" * 500, not_json(0, "Nested too deeply")),
    "half a surrogate pair": ('{"role":"\\ud800"}', not_json(9, "Half of a surrogate pair")),
    "half a surrogate pair where nobody looks": (
        '{"other":["\\udc00\\ud83d"]}',
        not_json(11, "Half of a surrogate pair"),
    ),
    "half a surrogate pair in bytes": (b'{"role":"\xed\xa0\x80"}', not_json(9, "Text is not valid UTF-8")),
}


def test_surrogate_pair_is_one_character(send: Send) -> None:
    assert send(with_field(given_name="Ana \U0001f389")).get_json()["given_name"] == "Ana \U0001f389"


@on_sqlite
@pytest.mark.parametrize("name", CASES)
def test_422_matches_byte_for_byte(send: Send, name: str) -> None:
    body, expected = CASES[name]
    answer = send(body)
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/json")
    assert answer.data.decode() == expected


@on_sqlite
@pytest.mark.parametrize(
    ("content_type", "body", "detail"),
    [
        ("text/plain", b"{}", '"{}"'),
        (None, b"{}", '"{}"'),
        ("application/x-www-form-urlencoded", b"a=1", '"a=1"'),
        ("application/xml", b'"a"', r'"\"a\""'),
        ("multipart/form-data; boundary=x", b"--x", '"--x"'),
        ("text/plain", b"\xff", '"\ufffd"'),
        ("not a type at all;;;", b"{}", '"{}"'),
    ],
)
def test_422_without_a_json_content_type(send: Send, content_type: str | None, body: bytes, detail: str) -> None:
    answer = send(body, content_type)
    assert (answer.status_code, answer.data.decode()) == (422, no_object(detail))


@on_sqlite
@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/vnd.api+json", "APPLICATION/JSON"]
)
def test_all_encodings_of_json_are_accepted(send: Send, content_type: str) -> None:
    assert send(with_field(), content_type).status_code == 201


@on_sqlite
def test_422_for_a_number_of_many_digits(send: Send) -> None:
    answer = send('{"role":' + "9" * 5000 + "}")
    assert (answer.status_code, answer.get_json()["detail"][0]["type"]) == (422, "json_invalid")
    answer = send(with_field().replace('"member"', "9" * 4000))
    assert (answer.status_code, answer.get_json()["detail"][0]["type"]) == (422, "string_type")


SPOOFED = [
    "Ana\nBcc: all@acme.example",
    "A\0na",
    "A\x1bna",
    "Ana\u202egro.live",
    "\u2066Ana",
    "Ana\u2028",
    "\ufeffAna",
]


@pytest.mark.parametrize("field", ["given_name", "family_name"])
@pytest.mark.parametrize("name", SPOOFED, ids=ascii)
def test_422_for_a_deceptive_name(send: Send, field: str, name: str) -> None:
    answer = send(with_field(**{field: name}))
    assert answer.status_code == 422
    (problem,) = answer.get_json()["detail"]
    assert problem == {
        "type": "value_error",
        "loc": ["body", field],
        "msg": "Leave out line breaks and other control characters.",
        "input": name,
    }


@pytest.mark.parametrize("name", ["", "   ", "a" * 101])
def test_422_for_a_name_of_wrong_length(send: Send, name: str) -> None:
    answer = send(with_field(given_name=name))
    assert (answer.status_code, answer.get_json()["detail"][0]["loc"]) == (422, ["body", "given_name"])


@pytest.mark.parametrize(
    "name", ["Ana Mari\u0301a", "李", "O\u2019Neil", "\u0645\u06cc\u200c\u062e\u0648", "a" * 100]
)
def test_201_for_names_in_many_scripts(send: Send, name: str) -> None:
    assert send(with_field(given_name=name)).get_json()["given_name"] == name


@pytest.mark.parametrize("email", ["", "ana", "ana@", "ana@localhost", "a b@guest.example", "ana@guest.example\0"])
def test_422_for_an_invalid_email(send: Send, email: str) -> None:
    answer = send(with_field(email=email))
    (problem,) = answer.get_json()["detail"]
    assert answer.status_code == 422
    assert (problem["type"], problem["loc"], problem["input"]) == ("value_error", ["body", "email"], email)


@pytest.mark.parametrize("role", ["", "captain", "Member\0", "org:", "%", "a" * 5000])
def test_422_for_an_unknown_role(send: Send, role: str) -> None:
    answer = send(with_field(role=role))
    (problem,) = answer.get_json()["detail"]
    assert answer.status_code == 422
    assert (problem["type"], problem["loc"], problem["input"]) == ("value_error", ["body", "role"], role[:1024])


def test_422_for_an_unknown_workspace(send: Send, acme: Acme) -> None:
    answer = send(with_field(workspace_ids=[str(acme.workspaces[0]), str(acme.id)]))
    assert (answer.status_code, answer.get_json()["detail"]) == (
        422,
        [
            {
                "type": "value_error",
                "loc": ["body", "workspace_ids", 1],
                "msg": "There is no such workspace in this organization.",
                "input": str(acme.id),
            }
        ],
    )


def test_413_above_the_size_limit(send: Send) -> None:
    answer = send(with_field(other="x" * 1_100_000))
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, "application/json")
    assert answer.data == b'{"detail":"Request Entity Too Large"}'


# --- arbitrary input ---

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["member", "\ud800"])
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(FIELDS), inner), max_leaves=8
)
NEARLY_RIGHT = st.builds(lambda extra: {**ANA, **extra}, st.dictionaries(st.sampled_from([*FIELDS, "x"]), ANYTHING))
BODIES = st.binary() | st.builds(lambda value: json.dumps(value).encode(), ANYTHING | NEARLY_RIGHT)
CONTENT_TYPES = st.sampled_from(["application/json", "text/plain", "application/vnd.api+json"]) | st.none()


def check_that_nothing_is_an_accident(app: Flask, acme: Acme, key: Key) -> None:
    client = app.test_client()
    url = f"/api/v1/organization/{acme.id}/invitation"

    @settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
    @given(data=BODIES, content_type=CONTENT_TYPES)
    def check(data: bytes, content_type: str | None) -> None:
        answer = client.post(url, data=data, content_type=content_type, headers=key.headers)
        assert answer.headers["Content-Type"] == "application/json"
        if answer.status_code == 422:
            for problem in answer.get_json()["detail"]:
                assert list(problem)[:4] == ["type", "loc", "msg", "input"]
        else:
            assert answer.status_code in (201, 402, 409)
            assert answer.get_json()

    check()


@on_sqlite
def test_no_body_causes_an_error_on_sqlite(app: Flask, acme: Acme, key: Key) -> None:
    check_that_nothing_is_an_accident(app, acme, key)


@on_postgres
def test_no_body_causes_an_error_on_postgres(app: Flask, acme: Acme, key: Key) -> None:
    check_that_nothing_is_an_accident(app, acme, key)
