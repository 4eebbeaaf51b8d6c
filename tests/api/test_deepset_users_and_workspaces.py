"""deepset operations beside inviting: the current user, users, workspaces, the organization."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.factories import Acme, Key, configure, make_member, make_organization

NOBODY = "01980000-0000-7000-8000-000000000001"
NOT_FOUND = b'{"detail":"Not Found"}'


@pytest.fixture
def call(client: FlaskClient, key: Key) -> Callable[..., Any]:
    """Send a request with the owner's key: `call("GET", "/users")`."""
    return lambda method, path, **options: client.open(
        "/api/v1" + path, method=method, **{"headers": key.headers, **options}
    )


def test_me(call: Callable[..., Any], acme: Acme) -> None:
    assert call("GET", "/me").get_json() == {
        "user_id": str(acme.owner.id),
        "email": acme.owner.email,
        "given_name": "Olivia",
        "family_name": "Owner",
        "deleted": False,
        "oauth_provider": "invite_app",
        "oauth_id": None,
        "organization": {
            "organization_id": str(acme.id),
            "name": "Acme",
            "role": "owner",
            "pricing_plan": 1,
            "workspaces": [],
        },
    }


def test_me_for_a_member(call: Callable[..., Any], acme: Acme, make_key: Callable[..., Key]) -> None:
    path = f"/organization/{acme.id}/members/{acme.member.id}"
    assert call("PATCH", path, json={"workspace_ids": [str(acme.workspaces[0])]}).status_code == 200
    organization = call("GET", "/me", headers=make_key("member", acme.member).headers).get_json()["organization"]
    assert (organization["role"], organization["workspaces"]) == ("member", [{"name": "Sales", "role": "member"}])


def test_organization(call: Callable[..., Any], acme: Acme, app: Flask) -> None:
    with app.app_context():
        configure(acme, plan="free")
    assert call("GET", "/organization").get_json() == {
        "name": "Acme",
        "organization_id": str(acme.id),
        "plan": "free",
    }
    assert call("GET", "/me").get_json()["organization"]["pricing_plan"] == 0


class TestUsers:
    def test_pages(self, call: Callable[..., Any], acme: Acme) -> None:
        first = call("GET", "/users?limit=2").get_json()
        assert ([user["given_name"] for user in first["data"]], first["has_more"], first["total"]) == (
            ["Adam", "Mia"],
            True,
            3,
        )
        last = call("GET", "/users?limit=2&page_number=2").get_json()
        assert ([user["given_name"] for user in last["data"]], last["has_more"]) == (["Olivia"], False)

    def test_starts_beside_a_given_user(self, call: Callable[..., Any], acme: Acme) -> None:
        after = call("GET", f"/users?after={acme.admin.id}").get_json()
        assert [user["given_name"] for user in after["data"]] == ["Mia", "Olivia"]
        before = call("GET", f"/users?before={acme.owner.id}&limit=1").get_json()
        assert ([user["given_name"] for user in before["data"]], before["has_more"]) == (["Mia"], True)
        first = call("GET", f"/users?before={acme.member.id}&limit=1").get_json()
        assert ([user["given_name"] for user in first["data"]], first["has_more"]) == (["Adam"], False)
        assert call("GET", f"/users?after={NOBODY}").data == NOT_FOUND

    @pytest.mark.parametrize(
        ("query", "kind"),
        [
            ("limit=101", "less_than_equal"),
            ("limit=0", "greater_than_equal"),
            ("limit=a", "int_parsing"),
            ("limit=", "int_parsing"),
            ("page_number=0", "greater_than_equal"),
            ("page_number=99999999999999999999999", "less_than_equal"),
            ("after=x", "uuid_parsing"),
        ],
    )
    def test_422(self, call: Callable[..., Any], query: str, kind: str) -> None:
        answer = call("GET", f"/users?{query}")
        (problem,) = answer.get_json()["detail"]
        assert (answer.status_code, problem["type"]) == (422, kind)
        assert problem["loc"] == ["query", query.partition("=")[0]]

    def test_422_as_fastapi_says_it(self, call: Callable[..., Any]) -> None:
        assert call("GET", "/users?limit=a").data == (
            b'{"detail":[{"type":"int_parsing","loc":["query","limit"],"msg":"Input should be a valid integer, '
            b'unable to parse string as an integer","input":"a"}]}'
        )

    def test_single_user(self, call: Callable[..., Any], acme: Acme) -> None:
        assert call("GET", f"/users/{acme.member.id}").get_json()["email"] == acme.member.email

    def test_role_changes(self, call: Callable[..., Any], acme: Acme) -> None:
        answer = call("PATCH", f"/users/{acme.member.id}", json={"role": "Admin"})
        assert (answer.status_code, answer.data, "Content-Type" in answer.headers) == (204, b"", False)
        assert call("GET", f"/users/{acme.member.id}").get_json()["organization"]["role"] == "admin"

    def test_removal(self, call: Callable[..., Any], acme: Acme) -> None:
        answer = call("DELETE", f"/users/{acme.member.id}", data=b"", content_type="application/json")
        assert (answer.status_code, answer.data) == (200, b"null")
        assert call("GET", f"/users/{acme.member.id}").status_code == 404

    @pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
    @pytest.mark.parametrize("user", [NOBODY, "x", "%00"])
    def test_404(self, call: Callable[..., Any], method: str, user: str) -> None:
        answer = call(method, f"/users/{user}", json={"role": "member"})
        assert (answer.status_code, answer.data) == (404, NOT_FOUND)

    def test_404_for_a_user_of_another_organization(self, call: Callable[..., Any], app: Flask) -> None:
        with app.app_context():
            stranger = make_organization("Other").member
        assert call("DELETE", f"/users/{stranger.id}").status_code == 404

    def test_rules(self, call: Callable[..., Any], acme: Acme, make_key: Callable[..., Key]) -> None:
        by_admin = {"headers": make_key("admin", acme.admin).headers}
        assert call("DELETE", f"/users/{acme.owner.id}").status_code == 409
        assert call("PATCH", f"/users/{acme.owner.id}", json={"role": "member"}).status_code == 409
        assert call("PATCH", f"/users/{acme.owner.id}", json={"role": "member"}, **by_admin).status_code == 403
        assert call("PATCH", f"/users/{acme.member.id}", json={"role": "owner"}, **by_admin).status_code == 403
        unknown = call("PATCH", f"/users/{acme.member.id}", json={"role": "captain"})
        assert (unknown.status_code, unknown.get_json()["detail"][0]["loc"]) == (422, ["body", "role"])


class TestWorkspaces:
    def test_list(self, call: Callable[..., Any], acme: Acme) -> None:
        assert call("GET", "/workspaces").get_json() == [
            {
                "name": name,
                "workspace_id": str(workspace),
                "languages": {},
                "default_idle_timeout_in_seconds": 0,
            }
            for name, workspace in zip(["Sales", "Support"], acme.workspaces, strict=True)
        ]

    def test_workspace_is_created_renamed_deleted(self, call: Callable[..., Any]) -> None:
        assert call("POST", "/workspaces", json={"name": "The Lab"}).status_code == 201
        assert call("GET", "/workspaces/the%20lab").get_json()["name"] == "The Lab"
        assert call("PATCH", "/workspaces/The Lab", json={"name": "Lab 2"}).get_json()["name"] == "Lab 2"
        answer = call("DELETE", "/workspaces/Lab 2")
        assert (answer.status_code, answer.data) == (204, b"")
        assert call("GET", "/workspaces/Lab 2").data == NOT_FOUND

    def test_names(self, call: Callable[..., Any]) -> None:
        assert call("POST", "/workspaces", json={"name": "SALES"}).status_code == 409
        bad = call("POST", "/workspaces", json={"name": "a\nb"})
        assert (bad.status_code, bad.get_json()["detail"][0]["loc"]) == (422, ["body", "name"])

    def test_invitation_into_a_workspace(self, call: Callable[..., Any], acme: Acme) -> None:
        ana = {"given_name": "Ana", "family_name": "Guest", "email": "ana@guest.example", "role": "member"}
        answer = call("POST", "/workspaces/Sales/invitation", json=ana)
        assert (answer.status_code, answer.get_json()["workspace_ids"]) == (201, [str(acme.workspaces[0])])
        assert call("POST", "/workspaces/Sales/invitation", json=ana).status_code == 409
        assert call("POST", "/workspaces/Nowhere/invitation", json=ana).data == NOT_FOUND
        assert call("POST", "/workspaces/Sales/invitation", json={}).status_code == 422

    def test_members_can_read_but_not_change(
        self, call: Callable[..., Any], acme: Acme, make_key: Callable[..., Key]
    ) -> None:
        by_member = {"headers": make_key("member", acme.member).headers}
        assert call("GET", "/workspaces", **by_member).status_code == 200
        assert call("POST", "/workspaces", json={}, **by_member).status_code == 403
        assert call("DELETE", "/workspaces/Sales", **by_member).status_code == 403


def test_query_count_does_not_grow_with_rows(
    app: Flask, call: Callable[..., Any], acme: Acme, count_queries: Callable[..., Any]
) -> None:
    call("GET", "/users")
    with count_queries() as few:
        call("GET", "/users")
    with app.app_context():
        for number in range(5):
            make_member(acme, f"person{number}@acme.example")
    with count_queries() as many:
        call("GET", "/users?limit=100")
    assert len(many) == len(few)
