"""Every response has exactly the keys that Clerk documents, and a JSON content type."""

from typing import Any

import pytest
from flask import Flask

from invite_app.api.clerk import clerk
from invite_app.services import roles
from tests.support.factories import OPERATOR, Acme, Person, expire, invite

from . import schemas
from .conftest import Call

ORGANIZATION = "/organizations/{o}"
ONE_MEMBERSHIP = ORGANIZATION + "/memberships/{member}"
INVITATIONS = ORGANIZATION + "/invitations"
ONE_INVITATION = INVITATIONS + "/{invitation}"
BO = {"email_address": "bo@guest.example", "role": "org:admin"}

ANSWERS: list[tuple[str, str, Any, schemas.Schema]] = [
    ("GET", ORGANIZATION, None, schemas.ORGANIZATION),
    ("GET", "/organization_roles", None, schemas.listed(schemas.ROLE_OBJECT)),
    ("POST", ORGANIZATION + "/memberships", {"user_id": "{ana}", "role": "org:member"}, schemas.MEMBERSHIP),
    ("GET", ORGANIZATION + "/memberships", None, schemas.listed(schemas.MEMBERSHIP)),
    ("PATCH", ONE_MEMBERSHIP, {"role": "admin"}, schemas.MEMBERSHIP),
    ("DELETE", ONE_MEMBERSHIP, None, schemas.MEMBERSHIP),
    ("PATCH", ONE_MEMBERSHIP + "/metadata", {"public_metadata": {"a": 1}}, schemas.MEMBERSHIP),
    ("GET", "/organization_memberships", None, schemas.listed(schemas.MEMBERSHIP)),
    ("GET", "/users/{member}/organization_memberships", None, schemas.listed(schemas.MEMBERSHIP)),
    ("POST", INVITATIONS, BO, schemas.INVITATION),
    ("POST", INVITATIONS + "/bulk", [BO], schemas.listed(schemas.INVITATION)),
    ("GET", INVITATIONS, None, schemas.listed(schemas.INVITATION)),
    ("GET", INVITATIONS + "/pending", None, schemas.listed(schemas.INVITATION)),
    ("GET", ONE_INVITATION, None, schemas.INVITATION),
    ("POST", ONE_INVITATION + "/revoke", None, schemas.INVITATION),
    ("GET", "/organization_invitations", None, schemas.listed(schemas.INVITATION_WITH_ORGANIZATION)),
    ("GET", "/users/{ana}/organization_invitations", None, schemas.listed(schemas.INVITATION_WITH_ORGANIZATION)),
]


def filled(template: Any, **names: Any) -> Any:
    """Replace {names} in paths and bodies by the ids of this test."""
    if isinstance(template, dict):
        return {key: filled(value, **names) for key, value in template.items()}
    if isinstance(template, str):
        for name, value in names.items():
            template = template.replace(f"{{{name}}}", str(value))
    return template


def test_every_operation_is_covered() -> None:
    here = {(method, len(path.split("/"))) for method, path, _, _ in ANSWERS}
    assert len(ANSWERS) == len(clerk.endpoints)
    assert here == {(endpoint.method, len(endpoint.path.split("/")) - 1) for endpoint in clerk.endpoints}


@pytest.mark.parametrize("operation", ANSWERS, ids=lambda operation: " ".join(operation[:2]))
def test_response_has_exactly_the_documented_keys(
    call: Call, app: Flask, acme: Acme, ana: Person, operation: tuple[str, str, Any, schemas.Schema]
) -> None:
    method, path, body, schema = operation
    with app.app_context():
        invitation = invite(acme, ana.email)
    names = {"ana": ana.id, "member": acme.member.id, "invitation": invitation.id}
    answer = call(method, filled(path, **names), filled(body, **names))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    schemas.check(schema, answer.get_json())


def test_operators_invitation_has_no_inviter(call: Call, app: Flask, acme: Acme) -> None:
    with app.app_context():
        expire(invite(acme, by=OPERATOR))
    shown = call("GET", INVITATIONS).get_json()
    schemas.check(schemas.listed(schemas.INVITATION), shown)
    assert (shown["data"][0]["inviter_id"], shown["data"][0]["public_inviter_data"]) == (None, None)
    assert shown["data"][0]["status"] == "expired"


def test_invitation_keeps_the_name_of_a_deleted_role(call: Call, app: Flask, acme: Acme) -> None:
    with app.app_context():
        roles.create(acme.id, name="Helpers", permissions=["members:read"], by=OPERATOR)
        invite(acme, role="helpers")
        roles.delete(acme.id, "helpers", by=OPERATOR)
    item = call("GET", INVITATIONS).get_json()["data"][0]
    schemas.check(schemas.INVITATION, item)
    assert (item["role"], item["role_name"]) == ("org:Helpers", "Helpers")
