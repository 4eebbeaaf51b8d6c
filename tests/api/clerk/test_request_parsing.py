"""Malformed bodies and queries: all errors in one response, with Clerk's codes and parameters."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.support.databases import on_postgres, on_sqlite
from tests.support.factories import Acme, Key

from . import schemas
from .conftest import Call, errors_of

MEMBERSHIPS, INVITATIONS = "/organizations/{o}/memberships", "/organizations/{o}/invitations"
USER = {"user_id": "user_2ab", "role": "member"}
BO = {"email_address": "bo@guest.example", "role": "member"}

BODIES: list[tuple[str, Any, list[tuple[str, str | None]]]] = [
    (MEMBERSHIPS, {}, [("form_param_missing", "user_id"), ("form_param_missing", "role")]),
    (MEMBERSHIPS, {"user_id": 1}, [("form_param_type_invalid", "user_id"), ("form_param_missing", "role")]),
    (MEMBERSHIPS, {**USER, "role": None}, [("form_param_type_invalid", "role")]),
    (MEMBERSHIPS, {**USER, "shoe_size": 43}, [("form_param_unknown", "shoe_size")]),
    (MEMBERSHIPS, {**USER, "public_metadata": []}, [("form_param_type_invalid", "public_metadata")]),
    (MEMBERSHIPS, [], [("form_param_type_invalid", None)]),
    (MEMBERSHIPS, "text", [("form_param_type_invalid", None)]),
    (INVITATIONS, {}, [("form_param_missing", "email_address"), ("form_param_missing", "role")]),
    (INVITATIONS, {**BO, "expires_in_days": 0}, [("form_param_value_invalid", "expires_in_days")]),
    (INVITATIONS, {**BO, "expires_in_days": 366}, [("form_param_value_invalid", "expires_in_days")]),
    (INVITATIONS, {**BO, "expires_in_days": "7"}, [("form_param_type_invalid", "expires_in_days")]),
    (INVITATIONS, {**BO, "expires_in_days": 7.5}, [("form_param_type_invalid", "expires_in_days")]),
    (INVITATIONS, {**BO, "expires_in_days": True}, [("form_param_type_invalid", "expires_in_days")]),
    (INVITATIONS, {**BO, "notify": "no"}, [("form_param_type_invalid", "notify")]),
    (INVITATIONS, {**BO, "notify": 0}, [("form_param_type_invalid", "notify")]),
    (INVITATIONS, {**BO, "workspace_ids": []}, [("form_param_unknown", "workspace_ids")]),
    (INVITATIONS, {**BO, "private_metadata": {"a": "x" * 9000}}, [("form_param_value_invalid", "private_metadata")]),
    (INVITATIONS, {**BO, "public_metadata": {"a": "\0"}}, [("form_param_value_invalid", "public_metadata")]),
    (INVITATIONS + "/bulk", BO, [("form_param_type_invalid", None)]),
    (INVITATIONS + "/bulk", [], [("form_param_value_invalid", None)]),
    (
        INVITATIONS + "/bulk",
        [BO, {"role": 1}],
        [
            ("form_param_missing", "email_address"),
            ("form_param_type_invalid", "role"),
        ],
    ),
    (INVITATIONS + "/x/revoke", {"user_id": "x"}, [("form_param_unknown", "user_id")]),
]
QUERIES: list[tuple[str, str | None]] = [
    ("limit=0", "limit"),
    ("limit=501", "limit"),
    ("limit=x", "limit"),
    ("offset=-1", "offset"),
    (f"offset={10**30}", "offset"),
    ("order_by=shoe_size", "order_by"),
    ("order_by=--created_at", "order_by"),
]


@on_sqlite
class TestBodies:
    def test_422_lists_every_error(self, call: Call) -> None:
        for path, body, expected in BODIES:
            answer = call("POST", path, body)
            assert errors_of(answer) == (422, expected), (path, body)
            schemas.check(schemas.ERRORS, answer.get_json())

    def test_422_response_is_complete(self, call: Call) -> None:
        assert call("POST", MEMBERSHIPS, {"user_id": 1, "shoe_size": 43}).get_json() == {
            "errors": [
                {
                    "message": "is invalid",
                    "long_message": "user_id: Input should be a valid string.",
                    "code": "form_param_type_invalid",
                    "meta": {"param_name": "user_id"},
                },
                {
                    "message": "is missing",
                    "long_message": "role must be included.",
                    "code": "form_param_missing",
                    "meta": {"param_name": "role"},
                },
                {
                    "message": "is unknown",
                    "long_message": "shoe_size is not a valid parameter for this request.",
                    "code": "form_param_unknown",
                    "meta": {"param_name": "shoe_size"},
                },
            ]
        }

    def test_422_names_the_item_of_a_list(self, call: Call) -> None:
        answer = call("POST", INVITATIONS + "/bulk", [BO, {"role": "member"}])
        assert answer.get_json()["errors"][0]["long_message"] == "Item 2: email_address must be included."

    def test_422_without_a_body(self, call: Call) -> None:
        answer = call("POST", MEMBERSHIPS, headers=None, content_type="application/json")
        assert errors_of(answer) == (422, [("form_param_missing", None)])

    @pytest.mark.parametrize(
        "data", [b"{", b"not json", b'{"role":NaN}', b'{"role":"\xff"}', b"[" * 500 + b"]" * 500]
    )
    def test_400_for_invalid_json(self, call: Call, data: bytes) -> None:
        answer = call("POST", MEMBERSHIPS, data=data, content_type="application/json")
        assert errors_of(answer) == (400, [("request_body_invalid", None)])
        schemas.check(schemas.ERRORS, answer.get_json())

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
    def test_415_for_another_content_type(self, call: Call, content_type: str | None) -> None:
        answer = call("POST", MEMBERSHIPS, data=json.dumps(USER), content_type=content_type)
        assert errors_of(answer) == (415, [("unsupported_content_type", None)])
        schemas.check(schemas.ERRORS, answer.get_json())

    def test_413_for_an_endless_body(self, call: Call) -> None:
        answer = call("POST", MEMBERSHIPS, {"user_id": "x" * 1_100_000})
        assert errors_of(answer) == (413, [("request_entity_too_large", None)])

    def test_camel_case_body_is_accepted(self, call: Call, acme: Acme) -> None:
        answer = call("POST", MEMBERSHIPS, {"userId": str(acme.member.id), "role": "member"})
        assert errors_of(answer) == (400, [("already_a_member_in_organization", None)])

    def test_optional_bodies_may_be_missing_or_null(self, call: Call, acme: Acme) -> None:
        path = f"{MEMBERSHIPS}/{acme.member.id}/metadata"
        for options in (
            {"content_type": "application/json"},
            {"data": b"null", "content_type": "application/json"},
            {},
        ):
            assert call("PATCH", path, **options).status_code == 200

    def test_empty_json_body_is_accepted(self, call: Call, acme: Acme) -> None:
        assert call("GET", MEMBERSHIPS, content_type="application/json").status_code == 200
        path = f"{MEMBERSHIPS}/{acme.member.id}"
        assert call("DELETE", path, content_type="application/json").status_code == 200


@on_sqlite
class TestQueries:
    @pytest.mark.parametrize("path", [MEMBERSHIPS, INVITATIONS, "/organization_roles", "/organization_invitations"])
    def test_422_names_the_parameter(self, call: Call, path: str) -> None:
        for query, param in QUERIES:
            status, [(code, found)] = errors_of(call("GET", f"{path}?{query}"))
            assert (status, found) == (422, param), query
            assert code in ("form_param_value_invalid", "form_param_type_invalid")

    def test_422_for_an_unknown_status(self, call: Call) -> None:
        answer = call("GET", f"{INVITATIONS}?status=pending&status=lost")
        assert errors_of(answer) == (422, [("form_param_value_invalid", "status")])

    def test_422_for_too_many_names(self, call: Call) -> None:
        many = "&".join(f"user_id=user_{number}" for number in range(101))
        assert errors_of(call("GET", f"{MEMBERSHIPS}?{many}")) == (422, [("form_param_value_invalid", "user_id")])

    def test_unescaped_plus_stays_a_plus(self, call: Call, acme: Acme) -> None:
        answer = call("GET", f"{MEMBERSHIPS}?order_by=+email_address&user_id=+{acme.owner.id}")
        assert answer.get_json()["total_count"] == 1

    def test_unknown_parameters_are_ignored(self, call: Call) -> None:
        assert call("GET", f"{INVITATIONS}?shoe_size=43").status_code == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
MEMBERSHIP_FIELDS = ("user_id", "userId", "role", "public_metadata", "private_metadata")
INVITATION_FIELDS = (
    "email_address",
    "role",
    "inviter_user_id",
    "public_metadata",
    "private_metadata",
    "redirect_url",
    "expires_in_days",
    "notify",
)


NASTY = [
    "\0",
    {"\0": 1},
    {"a": ["\0"]},
    {"a": 2**70},
    "a\0@guest.example",
    "ana@guest.example",
    "org:admin",
    2**70,
    30,
]


def bodies(good: Any, *fields: str) -> Any:
    """Generate arbitrary bodies, and valid bodies with some fields replaced."""
    changes = st.dictionaries(st.sampled_from(fields), JSON | st.sampled_from(NASTY), max_size=2)
    return JSON | changes | st.builds(lambda whole, changed: {**whole, **changed}, good, changes)


MEMBERSHIP = bodies(st.just(USER), *MEMBERSHIP_FIELDS)
SOMEBODY_NEW = st.uuids().map(lambda name: {"email_address": f"{name}@guest.example", "role": "member"})
INVITATION = bodies(SOMEBODY_NEW, *INVITATION_FIELDS)


def never_an_accident(answer: TestResponse) -> None:
    assert answer.status_code < 500, answer.data
    if answer.status_code != 200:
        schemas.check(schemas.ERRORS, answer.get_json())


@pytest.fixture
def send(client: FlaskClient, acme: Acme, key: Key) -> Callable[[str, Any], TestResponse]:
    def send(path: str, body: Any) -> TestResponse:
        url = f"/v1{path.replace('{o}', str(acme.id))}"
        return client.post(url, data=json.dumps(body), content_type="application/json", headers=key.headers)

    return send


slowly = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


class TestRandomBodies:
    """PostgreSQL is stricter about stored values than SQLite."""

    @on_postgres
    @slowly
    @given(body=MEMBERSHIP)
    def test_as_a_membership(self, send: Callable[[str, Any], TestResponse], body: Any) -> None:
        never_an_accident(send(MEMBERSHIPS, body))

    @on_postgres
    @slowly
    @given(body=INVITATION)
    def test_as_an_invitation(self, send: Callable[[str, Any], TestResponse], body: Any) -> None:
        never_an_accident(send(INVITATIONS, body))

    @on_postgres
    @slowly
    @given(body=st.lists(INVITATION, max_size=12))
    def test_as_a_list_of_invitations(self, send: Callable[[str, Any], TestResponse], body: Any) -> None:
        never_an_accident(send(INVITATIONS + "/bulk", body))
