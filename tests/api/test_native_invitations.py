"""Native endpoints for invitations."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.factories import (
    PASSWORD,
    Acme,
    Key,
    configure,
    expire,
    invite,
    make_organization,
    make_person,
    set_delivery,
    token_of,
)

NOBODY = "01980000-0000-7000-8000-000000000001"
NOT_FOUND = b'{"detail":"Not Found"}'
NEW = {"given_name": "Ana", "family_name": "Guest", "password": "a long enough passphrase"}
Call = Callable[..., Any]


@pytest.fixture
def call(client: FlaskClient, acme: Acme, key: Key) -> Call:
    """Send a request below the organization with the owner's key: `call("GET", "/invitations")`."""
    return lambda method, path, **options: client.open(
        f"/api/v1/organization/{acme.id}{path}", method=method, **{"headers": key.headers, **options}
    )


@pytest.fixture
def ana(app: Flask, acme: Acme) -> UUID:
    """Return Ana's pending invitation."""
    with app.app_context():
        return invite(acme, given_name="Ana", note="Hello").id


class TestLists:
    def test_pages(self, app: Flask, call: Call, acme: Acme) -> None:
        with app.app_context():
            for name in ("ana", "bo", "cy"):
                invite(acme, f"{name}@guest.example")
        first = call("GET", "/invitations?limit=2").get_json()
        assert [row["email"][:2] for row in first["data"]] == ["cy", "bo"]
        assert (first["total"], first["has_more"], first["previous_cursor"]) == (3, True, None)
        last = call("GET", f"/invitations?limit=2&cursor={first['next_cursor']}").get_json()
        assert ([row["email"][:3] for row in last["data"]], last["has_more"]) == (["ana"], False)
        assert call("GET", f"/invitations?limit=2&cursor={last['previous_cursor']}").get_json() == first

    def test_filtered(self, app: Flask, call: Call, acme: Acme, ana: UUID) -> None:
        with app.app_context():
            expire(invite(acme, "bo@guest.example"))
            set_delivery(ana, state="failed", reason="mailbox full")

        def emails(query: str) -> list[str]:
            return [row["email"] for row in call("GET", f"/invitations?{query}").get_json()["data"]]

        assert emails("state=pending") == emails("delivery=failed") == emails("q=AN") == ["ana@guest.example"]
        assert emails("state=expired") == ["bo@guest.example"]
        assert len(emails("state=expired&state=pending")) == 2
        assert emails("q=nobody") == emails("role=admin") == []
        assert len(emails("role=member")) == 2

    @pytest.mark.parametrize("query", ["state=gone", "delivery=gone", "limit=0", "limit=101"])
    def test_422(self, call: Call, query: str) -> None:
        answer = call("GET", f"/invitations?{query}")
        assert (answer.status_code, answer.get_json()["detail"][0]["loc"][:2]) == (
            422,
            ["query", query.partition("=")[0]],
        )

    @pytest.mark.parametrize("cursor", ["x", "%00", "W10", "WyJuIixbInMiLCJ4Il0sWyJ1IiwieCJdXQ", "%F0%9F%8E%89"])
    def test_invalid_cursor_means_the_first_page(self, call: Call, ana: UUID, cursor: str) -> None:
        assert len(call("GET", f"/invitations?cursor={cursor}").get_json()["data"]) == 1

    @pytest.mark.parametrize("fragment", ["%00", "%25", "_", "a%00b", "%F0%9F%8E%89", "%ED%A0%80", "%5C"])
    @pytest.mark.parametrize("path", ["/invitations", "/members"])
    def test_any_text_can_be_searched_for(self, call: Call, ana: UUID, path: str, fragment: str) -> None:
        answer = call("GET", f"{path}?q={fragment}")
        assert answer.status_code == 200


class TestOne:
    def test_response_has_no_link(self, app: Flask, call: Call, ana: UUID) -> None:
        answer = call("GET", f"/invitations/{ana}")
        assert {name: answer.get_json()[name] for name in ("email", "note", "state", "why")} == {
            "email": "ana@guest.example",
            "note": "Hello",
            "state": "pending",
            "why": "delivered",
        }
        with app.app_context():
            assert token_of(ana) not in answer.text

    def test_edited(self, call: Call, acme: Acme, ana: UUID) -> None:
        changes = {"role": "admin", "workspace_ids": [str(acme.workspaces[0])], "note": "Hi"}
        changed = call("PATCH", f"/invitations/{ana}", json=changes).get_json()
        assert {name: changed[name] for name in changes} == changes
        assert call("PATCH", f"/invitations/{ana}", json={"note": None}).get_json()["note"] == "Hi"

    def test_invalid_edit_is_refused(self, call: Call, ana: UUID) -> None:
        answer = call("PATCH", f"/invitations/{ana}", json={"role": "captain"})
        assert (answer.status_code, answer.get_json()["detail"][0]["input"]) == (422, "captain")

    def test_revoked_once(self, call: Call, ana: UUID) -> None:
        answer = call("DELETE", f"/invitations/{ana}")
        assert (answer.status_code, answer.data) == (204, b"")
        assert call("GET", f"/invitations/{ana}").get_json()["state"] == "revoked"
        again = call("DELETE", f"/invitations/{ana}")
        assert (again.status_code, again.data) == (409, b'{"detail":"This invitation has ended: it is revoked."}')
        assert call("POST", f"/invitations/{ana}/resend").status_code == 409

    def test_resent(self, app: Flask, call: Call, ana: UUID) -> None:
        with app.app_context():
            expire(ana)
        assert call("GET", f"/invitations/{ana}").get_json()["state"] == "expired"
        assert call("POST", f"/invitations/{ana}/resend").get_json()["state"] == "pending"

    def test_extended_and_taken_over(self, call: Call, ana: UUID) -> None:
        before = call("GET", f"/invitations/{ana}").get_json()
        after = call("POST", f"/invitations/{ana}/extend").get_json()
        assert after["expires_at"] > before["expires_at"]
        assert call("POST", f"/invitations/{ana}/take-over").status_code == 200

    def test_link_copied(self, app: Flask, call: Call, ana: UUID, key: Key) -> None:
        url = call("POST", f"/invitations/{ana}/link").get_json()["url"]
        with app.app_context():
            assert url == f"http://localhost/invitations/{token_of(ana, copied=True, by=key.actor)}"

    def test_link_requires_permission_to_assign_the_role(
        self, app: Flask, call: Call, acme: Acme, make_key: Callable[..., Key]
    ) -> None:
        with app.app_context():
            owner = invite(acme, role="owner").id
        by_admin = {"headers": make_key("admin").headers}
        for action in ("link", "resend", "extend", "take-over"):
            assert call("POST", f"/invitations/{owner}/{action}", **by_admin).status_code == 403
        assert call("PATCH", f"/invitations/{owner}", json={"role": "member"}, **by_admin).status_code == 403

    @pytest.mark.parametrize("invitation", [NOBODY, "x", "%00"])
    def test_404(self, call: Call, invitation: str) -> None:
        assert call("GET", f"/invitations/{invitation}").data == NOT_FOUND
        assert call("PATCH", f"/invitations/{invitation}", json={}).data == NOT_FOUND
        assert call("DELETE", f"/invitations/{invitation}").data == NOT_FOUND
        for action in ("link", "resend", "extend", "take-over"):
            assert call("POST", f"/invitations/{invitation}/{action}").data == NOT_FOUND

    def test_404_for_another_organizations_invitation(self, app: Flask, call: Call) -> None:
        with app.app_context():
            foreign = invite(make_organization("Other")).id
        for method in ("GET", "DELETE"):
            assert call(method, f"/invitations/{foreign}").data == NOT_FOUND


class TestBulk:
    def test_every_row_has_its_own_result(self, call: Call, acme: Acme, ana: UUID) -> None:
        rows = [
            {"email": "bo@guest.example", "role": "member"},
            {"email": "ana@guest.example", "role": "member"},
            {"email": "bo@guest.example", "role": "member"},
            {"email": 3},
            {"email": "cy@guest.example", "role": "captain"},
            {"email": acme.member.email, "role": "member"},
            {"email": "cy@guest.example", "role": "admin", "note": "Hi", "workspace_ids": [str(acme.workspaces[0])]},
        ]
        answer = call("POST", "/invitations/bulk", json={"invitations": rows})
        assert answer.status_code == 200
        result = answer.get_json()
        assert [row["status"] for row in result["results"]] == [201, 409, 409, 422, 422, 409, 201]
        assert [row["row"] for row in result["results"]] == [1, 2, 3, 4, 5, 6, 7]
        assert (result["accepted"], result["refused"]) == (2, 5)
        assert [problem["loc"] for problem in result["results"][3]["detail"]] == [["body", "email"], ["body", "role"]]
        assert result["results"][2]["detail"] == "Same address as row 1."
        assert result["results"][4]["detail"][0]["input"] == "captain"

    def test_progress(self, call: Call) -> None:
        rows = {"invitations": [{"email": "bo@guest.example", "role": "member"}]}
        batch = call("POST", "/invitations/bulk", json=rows).get_json()["batch_id"]
        progress = call("GET", f"/invitations/bulk/{batch}").get_json()
        assert {name: progress[name] for name in ("total", "accepted", "refused", "sent", "is_finished")} == {
            "total": 1,
            "accepted": 1,
            "refused": 0,
            "sent": 1,
            "is_finished": True,
        }
        assert call("GET", f"/invitations/bulk/{NOBODY}").data == NOT_FOUND

    def test_dry_run_stores_nothing(self, call: Call) -> None:
        rows = {"invitations": [{"email": "bo@guest.example", "role": "member"}]}
        result = call("POST", "/invitations/bulk?dry_run=true", json=rows).get_json()
        assert (result["batch_id"], result["accepted"]) == (None, 1)
        assert call("GET", "/invitations").get_json()["total"] == 0

    def test_too_many_rows_are_refused(self, call: Call) -> None:
        rows = [{"email": "bo@guest.example", "role": "member"}] * 10_001
        answer = call("POST", "/invitations/bulk", json={"invitations": rows})
        assert (answer.status_code, answer.get_json()["detail"][0]["msg"]) == (422, "10,001 rows; 10,000 fit.")

    def test_permissions(self, call: Call, make_key: Callable[..., Key]) -> None:
        rows = {"invitations": [{"email": "bo@guest.example", "role": "owner"}]}
        assert call("POST", "/invitations/bulk", json=rows, headers=make_key("member").headers).status_code == 403
        result = call("POST", "/invitations/bulk", json=rows, headers=make_key("admin").headers).get_json()
        assert result["results"][0]["status"] == 403


class TestInvitee:
    @pytest.fixture
    def path(self, app: Flask, ana: UUID) -> str:
        with app.app_context():
            return f"/api/v1/invitations/{token_of(ana)}"

    def test_opening_the_link_changes_nothing(self, client: FlaskClient, path: str) -> None:
        offers = [client.get(path).get_json() for _ in range(2)]
        assert offers[0] == offers[1]
        assert {name: offers[0][name] for name in ("organization_name", "email", "role", "state", "has_account")} == {
            "organization_name": "Acme",
            "email": "ana@guest.example",
            "role": "Member",
            "state": "pending",
            "has_account": False,
        }

    def test_copied_link_shows_the_same_offer(self, app: Flask, client: FlaskClient, ana: UUID) -> None:
        with app.app_context():
            path = f"/api/v1/invitations/{token_of(ana, copied=True)}"
        before = client.get(path).get_json()
        with app.app_context():
            make_person("ana@guest.example")
        assert client.get(path).get_json() == before
        assert before["has_account"] is None

    def test_accepting_with_a_new_account(self, client: FlaskClient, acme: Acme, path: str) -> None:
        answer = client.post(f"{path}/accept", json=NEW)
        assert (answer.status_code, answer.get_json()["role"]) == (200, "member")
        again = client.post(f"{path}/accept", json=NEW)
        assert (again.status_code, again.get_json()["detail"]) == (409, "This invitation has ended: it is accepted.")

    def test_accepting_with_a_domain_no_longer_allowed(
        self, app: Flask, client: FlaskClient, acme: Acme, path: str
    ) -> None:
        with app.app_context():
            configure(acme, allowed_domains=["acme.example"])
        expected = {"detail": "Only addresses at acme.example can be invited."}
        assert client.get(path).get_json()["obstacle"] == expected["detail"]
        body = {"given_name": "Ana", "family_name": "Guest", "password": PASSWORD}
        answer = client.post(f"{path}/accept", json=body)
        assert (answer.status_code, answer.get_json()) == (409, expected)

    def test_invalid_acceptance_is_refused(self, client: FlaskClient, path: str) -> None:
        assert client.post(f"{path}/accept", json={**NEW, "password": "short"}).status_code == 422
        assert client.post(f"{path}/accept", json={}).status_code == 422
        assert client.post(f"{path}/accept").status_code == 401
        assert client.get(path).get_json()["state"] == "pending"

    def test_accepting_with_an_existing_account(
        self, app: Flask, client: FlaskClient, path: str, acme: Acme, signed_in: Callable[..., FlaskClient]
    ) -> None:
        with app.app_context():
            ana = make_person("ana@guest.example")
        assert client.post(f"{path}/accept", json=NEW).status_code == 401
        ajax = {"X-Requested-With": "fetch"}
        assert signed_in(acme.member).post(f"{path}/accept", headers=ajax).status_code == 403
        assert signed_in(ana).post(f"{path}/accept").status_code == 401
        assert signed_in(ana).post(f"{path}/accept", headers=ajax).get_json()["user_id"] == str(ana.id)

    def test_declining(self, client: FlaskClient, path: str) -> None:
        assert client.post(f"{path}/decline", json={"word": "a\0b"}).status_code == 422
        assert client.post(f"{path}/decline", json={"word": "No, thank you"}).status_code == 204
        assert client.post(f"{path}/decline").status_code == 409

    @pytest.mark.parametrize("token", ["x", "%00", "A" * 50, "%F0%9F%8E%89"])
    def test_invalid_link(self, client: FlaskClient, token: str) -> None:
        assert client.get(f"/api/v1/invitations/{token}").data == NOT_FOUND
        assert client.post(f"/api/v1/invitations/{token}/accept", json=NEW).data == NOT_FOUND
