"""Native endpoints for an organization: members, roles, keys, settings, audit."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.factories import Acme, Key, invite, make_role

NOT_FOUND = b'{"detail":"Not Found"}'
Call = Callable[..., Any]


@pytest.fixture
def call(client: FlaskClient, acme: Acme, key: Key) -> Call:
    """Send a request below the organization with the owner's key: `call("GET", "/roles")`."""
    return lambda method, path, **options: client.open(
        f"/api/v1/organization/{acme.id}{path}", method=method, **{"headers": key.headers, **options}
    )


class TestMembers:
    def test_list(self, call: Call, acme: Acme) -> None:
        result = call("GET", "/members?role=admin").get_json()
        assert ([row["email"] for row in result["data"]], result["total"]) == ([acme.admin.email], 1)
        assert call("GET", f"/members?workspace_id={acme.workspaces[0]}").get_json()["data"] == []
        assert call("GET", "/members?q=mia").get_json()["data"][0]["role"] == "member"

    def test_change(self, call: Call, acme: Acme) -> None:
        changes = {"role": "admin", "workspace_ids": [str(acme.workspaces[1])]}
        changed = call("PATCH", f"/members/{acme.member.id}", json=changes).get_json()
        assert {name: changed[name] for name in changes} == changes
        assert call("GET", f"/members/{acme.member.id}").get_json() == changed

    def test_removal(self, call: Call, acme: Acme) -> None:
        assert call("DELETE", f"/members/{acme.member.id}").status_code == 204
        assert call("DELETE", f"/members/{acme.member.id}").data == NOT_FOUND
        assert call("DELETE", f"/members/{acme.owner.id}").status_code == 409

    def test_leaving(self, call: Call, acme: Acme, signed_in: Callable[..., FlaskClient]) -> None:
        ajax = {"X-Requested-With": "fetch"}
        browser, url = signed_in(acme.member), f"/api/v1/organization/{acme.id}/leave"
        assert browser.post(url, headers=ajax).status_code == 204
        assert browser.post(url, headers=ajax).data == NOT_FOUND
        assert signed_in(acme.owner).post(url, headers=ajax).status_code == 409


class TestRoles:
    def test_list(self, call: Call) -> None:
        assert [role["key"] for role in call("GET", "/roles").get_json()] == ["owner", "admin", "member"]

    def test_role_is_created_changed_deleted(self, call: Call) -> None:
        made = call("POST", "/roles", json={"name": "Help Desk", "permissions": ["members:read"]})
        assert (made.status_code, made.get_json()["key"]) == (201, "help_desk")
        changed = call("PATCH", "/roles/help_desk", json={"permissions": ["audit:read"]}).get_json()
        assert (changed["name"], changed["permissions"]) == ("Help Desk", ["audit:read"])
        assert call("DELETE", "/roles/Help Desk").status_code == 204
        assert call("DELETE", "/roles/Help Desk").data == NOT_FOUND

    def test_in_use(self, call: Call, app: Flask, acme: Acme) -> None:
        with app.app_context():
            make_role(acme, "Helpers", ["members:read"])
        assert call("PATCH", f"/members/{acme.member.id}", json={"role": "helpers"}).status_code == 200
        assert call("DELETE", "/roles/helpers").status_code == 409
        assert call("DELETE", "/roles/helpers?replacement=member").status_code == 204

    def test_refusals(self, call: Call, make_key: Callable[..., Key]) -> None:
        for body in ({"name": "ADMIN", "permissions": []}, {"name": "Owner", "permissions": []}):
            assert call("POST", "/roles", json=body).status_code == 409
        assert call("POST", "/roles", json={"name": "X", "permissions": ["fly"]}).status_code == 422
        assert call("PATCH", "/roles/owner", json={"name": "Boss"}).status_code == 409
        stronger = {"name": "Strong", "permissions": ["organization:write"]}
        assert call("POST", "/roles", json=stronger, headers=make_key("admin").headers).status_code == 403


class TestApiKeys:
    def test_key_is_created_used_revoked(self, call: Call, client: FlaskClient) -> None:
        made = call("POST", "/api-keys", json={"name": "CI", "role": "admin"}).get_json()
        headers = {"Authorization": f"Bearer {made['api_key']}"}
        assert client.get("/api/v1/me", headers=headers).status_code == 200
        listed = call("GET", "/api-keys").get_json()
        assert made["api_key_id"] in [api_key["api_key_id"] for api_key in listed]
        assert made["api_key"] not in call("GET", "/api-keys").text
        assert call("DELETE", f"/api-keys/{made['api_key_id']}").status_code == 204
        assert client.get("/api/v1/me", headers=headers).status_code == 401
        assert call("DELETE", f"/api-keys/{made['api_key_id']}").data == NOT_FOUND

    def test_refusals(self, call: Call, acme: Acme, make_key: Callable[..., Key]) -> None:
        def detail(**body: Any) -> Any:
            answer = call("POST", "/api-keys", json={"name": "CI", "role": "admin", **body})
            assert answer.status_code == 422
            return answer.get_json()["detail"][0]

        assert detail(name="a\nb")["loc"] == ["body", "name"]
        assert detail(user_id=str(acme.id))["loc"] == ["body", "user_id"]
        assert detail(expires_at="2001-01-01T00:00:00Z")["msg"] == "Choose an end in the future."
        assert detail(expires_at="2101-01-01T00:00:00")["type"] == "timezone_aware"
        assert detail(expires_at=10**400)["loc"] == ["body", "expires_at"]
        owners = call("POST", "/api-keys", json={"name": "CI", "role": "owner"}, headers=make_key("admin").headers)
        assert owners.status_code == 403


class TestSettings:
    def test_change(self, call: Call) -> None:
        before = call("GET", "/settings").get_json()
        assert (before["invitation_lifetime_seconds"], before["seat_limit"]) == (604800, None)
        changes = {
            "name": "Acme & Co",
            "seat_limit": 50,
            "invitation_lifetime_seconds": 3600,
            "allowed_domains": ["guest.example"],
            "allowed_origins": ["https://app.example"],
        }
        after = call("PATCH", "/settings", json=changes).get_json()
        assert after == {**before, **changes, "invitations_outside_domains": {"total": 0, "examples": []}}
        assert call("PATCH", "/settings", json={"seat_limit": None, "name": None}).get_json() == {
            **after,
            "seat_limit": None,
        }

    def test_restricting_domains_lists_affected_invitations(
        self, app: Flask, call: Call, acme: Acme, make_key: Callable[..., Key]
    ) -> None:
        with app.app_context():
            sent = [invite(acme, f"{name}@guest.example") for name in ("ana", "bo", "cem")]
            invite(acme, "dan@acme.example")
        after = call("PATCH", "/settings", json={"allowed_domains": ["acme.example"]}).get_json()
        assert after["invitations_outside_domains"] == {
            "total": 3,
            "examples": [{"invitation_id": str(one.id), "email": one.email} for one in (sent[2], sent[1])],
        }
        assert call("GET", "/settings").get_json() == after
        plain = call("GET", "/settings", headers=make_key("member").headers).get_json()
        assert plain["invitations_outside_domains"] is None
        shown = call("GET", f"/invitations/{sent[0].id}").get_json()
        assert shown["why"] == "domain_not_allowed"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", ""),
            ("plan", "gold"),
            ("seat_limit", 0),
            ("seat_limit", 10**30),
            ("invitation_lifetime_seconds", 3599),
            ("invitation_lifetime_seconds", 10**30),
            ("allowed_origins", ["https://app.example/path"]),
            ("allowed_domains", ["a\0b"]),
        ],
    )
    def test_422(self, call: Call, field: str, value: Any) -> None:
        answer = call("PATCH", "/settings", json={field: value})
        (problem,) = answer.get_json()["detail"]
        assert (answer.status_code, problem["loc"], problem["input"]) == (422, ["body", field], value)

    def test_owners_only(self, call: Call, make_key: Callable[..., Key]) -> None:
        assert call("PATCH", "/settings", json={}, headers=make_key("admin").headers).status_code == 403


class TestAudit:
    def test_newest_first_and_filtered(self, call: Call, acme: Acme) -> None:
        call("PATCH", f"/members/{acme.member.id}", json={"role": "admin"})
        result = call("GET", "/audit?action=member.&limit=1").get_json()
        (event,) = result["data"]
        assert (event["action"], event["before"], event["after"]) == (
            "member.role_changed",
            {"role": "Member"},
            {"role": "Admin"},
        )
        assert event["actor_name"] == "CI (Olivia Owner)"

    @pytest.mark.parametrize("name", ["actor", "action", "target"])
    def test_any_text_can_be_searched_for(self, call: Call, name: str) -> None:
        assert call("GET", f"/audit?{name}=a%00b").status_code == 200

    def test_admins_only(self, call: Call, make_key: Callable[..., Key]) -> None:
        assert call("GET", "/audit?limit=x", headers=make_key("member").headers).status_code == 403
