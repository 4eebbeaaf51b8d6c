"""Clerk responses to every error raised while inviting."""

from typing import Any, NoReturn

import pytest

from invite_app import errors as facts
from invite_app.errors import DomainError
from invite_app.services import invitations
from tests.api.facts import EXAMPLES, every_fact
from tests.support.databases import on_sqlite

from . import schemas
from .conftest import Call, errors_of

INVITATIONS = "/organizations/{o}/invitations"
BO = {"email_address": "bo@guest.example", "role": "member"}
NOT_FOUND, FORBIDDEN, MEMBER = (
    "resource_not_found",
    "missing_organization_permission",
    "already_a_member_in_organization",
)

EXPECTED: dict[type[DomainError], tuple[int, str, str | None]] = {
    facts.Unauthenticated: (401, "clerk_key_invalid", None),
    facts.InvalidCredentials: (401, "incorrect_password", None),
    facts.SignInRequired: (401, "authentication_invalid", None),
    facts.PlanUpgradeRequired: (402, "plan_upgrade_required", None),
    facts.PermissionDenied: (403, FORBIDDEN, None),
    facts.CannotGrantRole: (403, FORBIDDEN, "role"),
    facts.CannotManageMember: (403, FORBIDDEN, None),
    facts.SeatLimitReached: (403, "organization_membership_quota_exceeded", None),
    facts.WrongAccount: (403, "resource_forbidden", None),
    facts.EmailVerificationRequired: (403, "resource_forbidden", None),
    facts.OrganizationNotFound: (404, NOT_FOUND, None),
    facts.RoleNotFound: (404, NOT_FOUND, "role"),
    facts.UserNotFound: (404, NOT_FOUND, "user_id"),
    facts.MembershipNotFound: (404, NOT_FOUND, "inviter_user_id"),
    facts.InvitationNotFound: (404, "organization_invitation_not_found", None),
    facts.InvitationClosed: (404, "organization_invitation_not_pending", None),
    facts.WorkspaceNotFound: (404, NOT_FOUND, None),
    facts.ApiKeyNotFound: (404, NOT_FOUND, None),
    facts.BatchNotFound: (404, NOT_FOUND, None),
    facts.OwnershipTransferNotFound: (404, NOT_FOUND, None),
    facts.InvalidLink: (404, NOT_FOUND, None),
    facts.AlreadyMember: (400, MEMBER, None),
    facts.CannotInviteYourself: (400, MEMBER, None),
    facts.InvitationPending: (400, "duplicate_record", None),
    facts.DuplicateRow: (400, "duplicate_record", None),
    facts.TooManyRows: (400, "bulk_size_exceeded", None),
    facts.LastOwner: (400, "organization_minimum_permissions_needed", None),
    facts.SoleOwner: (400, "organization_minimum_permissions_needed", None),
    facts.DeliveryFailed: (400, "invitation_delivery_failed", None),
    facts.InviterNotAllowed: (400, "organization_invitation_blocked", None),
    facts.RoleDeleted: (400, "organization_invitation_blocked", None),
    facts.AccountExists: (400, "identifier_exists", "email_address"),
    facts.AlreadySetUp: (400, "already_set_up", None),
    facts.BuiltInRole: (400, "organization_role_built_in", "role"),
    facts.RoleInUse: (400, "organization_role_in_use", "role"),
    facts.RequestInProgress: (409, "request_still_running", None),
    facts.ImportNotFound: (404, NOT_FOUND, None),
    facts.EmptyImport: (422, "form_param_value_invalid", None),
    facts.UnreadableImport: (422, "form_param_value_invalid", None),
    facts.InvalidEmail: (422, "form_param_format_invalid", "email_address"),
    facts.DomainNotAllowed: (422, "form_param_value_invalid", "email_address"),
    facts.RedirectNotAllowed: (422, "form_param_value_invalid", "redirect_url"),
    facts.InvalidName: (422, "form_param_value_invalid", "given_name"),
    facts.InvalidNote: (422, "form_param_value_invalid", "note"),
    facts.InvalidLifetime: (422, "form_param_value_invalid", "expires_in_days"),
    facts.InvalidMetadata: (422, "form_param_value_invalid", "public_metadata"),
    facts.InvalidSetting: (422, "form_param_value_invalid", "plan"),
    facts.WeakPassword: (422, "form_param_value_invalid", "password"),
    facts.NameTaken: (422, "form_identifier_exists", "name"),
    facts.IdempotencyKeyReused: (422, "idempotency_key_reused", None),
    facts.ServiceBusy: (503, "service_busy", None),
    facts.RateLimited: (429, "too_many_requests", None),
}


@on_sqlite
def test_error_has_the_published_response(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for fact in every_fact():

        def error_response(*_: Any, fact: type[DomainError] = fact, **__: Any) -> NoReturn:
            raise EXAMPLES[fact]

        monkeypatch.setattr(invitations, "send", error_response)
        answer = call("POST", INVITATIONS, BO)
        status, code, param = EXPECTED[fact]
        assert errors_of(answer) == (status, [(code, param)]), fact
        assert str(EXAMPLES[fact]) in answer.get_json()["errors"][0]["long_message"]
        schemas.check(schemas.ERRORS, answer.get_json())
        assert answer.headers["Content-Type"] == "application/json"
        assert ("WWW-Authenticate" in answer.headers) == (status == 401)
        assert answer.headers.get("Retry-After") == ("17" if fact in (facts.RateLimited, facts.ServiceBusy) else None)


@on_sqlite
def test_unknown_ids_are_reported_by_their_parameter(call: Call, acme: Any) -> None:
    unknown = {"requesting_user_id": "user_2ab"}
    assert errors_of(call("POST", INVITATIONS + "/x/revoke", unknown)) == (404, [(NOT_FOUND, "requesting_user_id")])
    nobody = call("PATCH", "/organizations/{o}/memberships/user_2ab", {"role": "member"})
    assert errors_of(nobody) == (404, [(NOT_FOUND, None)])


@on_sqlite
def test_internal_error_reveals_nothing(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> NoReturn:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(invitations, "send", fail)
    answer = call("POST", INVITATIONS, BO)
    assert errors_of(answer) == (500, [("internal_clerk_error", None)])
    schemas.check(schemas.ERRORS, answer.get_json())
    assert b"secret" not in answer.data


@on_sqlite
def test_last_owner_cannot_be_removed(call: Call, acme: Any) -> None:
    path = f"/organizations/{{o}}/memberships/{acme.owner.id}"
    expected = (400, [("organization_minimum_permissions_needed", None)])
    assert errors_of(call("DELETE", path)) == expected
    assert errors_of(call("PATCH", path, {"role": "admin"})) == expected


@on_sqlite
@pytest.mark.parametrize("path", ["", "/", "/nope", "/organizations/x/y/z", "/users/x"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_404_for_an_unknown_path(call: Call, method: str, path: str) -> None:
    answer = call(method, path, headers={}, data=b"{", content_type="text/html")
    assert errors_of(answer) == (404, [(NOT_FOUND, None)])
    schemas.check(schemas.ERRORS, answer.get_json())
    assert answer.headers["Content-Type"] == "application/json"


@on_sqlite
def test_405_lists_the_methods(call: Call) -> None:
    answer = call("PUT", INVITATIONS)
    assert errors_of(answer) == (405, [("method_not_allowed", None)])
    assert {name.strip() for name in answer.headers["Allow"].split(",")} >= {"GET", "POST"}
