"""Clerk responses to every error raised while inviting."""

from typing import Any, NoReturn

import pytest

from invite_app import errors
from invite_app.errors import DomainError
from invite_app.services import invitations
from tests.api.error_examples import EXAMPLES, all_errors
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
    errors.Unauthenticated: (401, "clerk_key_invalid", None),
    errors.InvalidCredentials: (401, "incorrect_password", None),
    errors.SignInRequired: (401, "authentication_invalid", None),
    errors.PlanUpgradeRequired: (402, "plan_upgrade_required", None),
    errors.PermissionDenied: (403, FORBIDDEN, None),
    errors.CannotGrantRole: (403, FORBIDDEN, "role"),
    errors.CannotManageMember: (403, FORBIDDEN, None),
    errors.SeatLimitReached: (403, "organization_membership_quota_exceeded", None),
    errors.WrongAccount: (403, "resource_forbidden", None),
    errors.EmailVerificationRequired: (403, "resource_forbidden", None),
    errors.OrganizationNotFound: (404, NOT_FOUND, None),
    errors.RoleNotFound: (404, NOT_FOUND, "role"),
    errors.UserNotFound: (404, NOT_FOUND, "user_id"),
    errors.MembershipNotFound: (404, NOT_FOUND, "inviter_user_id"),
    errors.InvitationNotFound: (404, "organization_invitation_not_found", None),
    errors.InvitationClosed: (404, "organization_invitation_not_pending", None),
    errors.WorkspaceNotFound: (404, NOT_FOUND, None),
    errors.ApiKeyNotFound: (404, NOT_FOUND, None),
    errors.BatchNotFound: (404, NOT_FOUND, None),
    errors.OwnershipTransferNotFound: (404, NOT_FOUND, None),
    errors.InvalidLink: (404, NOT_FOUND, None),
    errors.AlreadyMember: (400, MEMBER, None),
    errors.CannotInviteYourself: (400, MEMBER, None),
    errors.InvitationPending: (400, "duplicate_record", None),
    errors.DuplicateRow: (400, "duplicate_record", None),
    errors.TooManyRows: (400, "bulk_size_exceeded", None),
    errors.LastOwner: (400, "organization_minimum_permissions_needed", None),
    errors.SoleOwner: (400, "organization_minimum_permissions_needed", None),
    errors.DeliveryFailed: (400, "invitation_delivery_failed", None),
    errors.InviterNotAllowed: (400, "organization_invitation_blocked", None),
    errors.RoleDeleted: (400, "organization_invitation_blocked", None),
    errors.AccountExists: (400, "identifier_exists", "email_address"),
    errors.AlreadySetUp: (400, "already_set_up", None),
    errors.BuiltInRole: (400, "organization_role_built_in", "role"),
    errors.RoleInUse: (400, "organization_role_in_use", "role"),
    errors.RequestInProgress: (409, "request_still_running", None),
    errors.ImportNotFound: (404, NOT_FOUND, None),
    errors.EmptyImport: (422, "form_param_value_invalid", None),
    errors.UnreadableImport: (422, "form_param_value_invalid", None),
    errors.InvalidEmail: (422, "form_param_format_invalid", "email_address"),
    errors.DomainNotAllowed: (422, "form_param_value_invalid", "email_address"),
    errors.RedirectNotAllowed: (422, "form_param_value_invalid", "redirect_url"),
    errors.InvalidName: (422, "form_param_value_invalid", "given_name"),
    errors.InvalidNote: (422, "form_param_value_invalid", "note"),
    errors.InvalidLifetime: (422, "form_param_value_invalid", "expires_in_days"),
    errors.InvalidMetadata: (422, "form_param_value_invalid", "public_metadata"),
    errors.InvalidSetting: (422, "form_param_value_invalid", "plan"),
    errors.WeakPassword: (422, "form_param_value_invalid", "password"),
    errors.NameTaken: (422, "form_identifier_exists", "name"),
    errors.IdempotencyKeyReused: (422, "idempotency_key_reused", None),
    errors.ServiceBusy: (503, "service_busy", None),
    errors.RateLimited: (429, "too_many_requests", None),
}


@on_sqlite
def test_error_has_the_published_response(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for error in all_errors():

        def error_response(*_: Any, error: type[DomainError] = error, **__: Any) -> NoReturn:
            raise EXAMPLES[error]

        monkeypatch.setattr(invitations, "send", error_response)
        answer = call("POST", INVITATIONS, BO)
        status, code, param = EXPECTED[error]
        assert errors_of(answer) == (status, [(code, param)]), error
        assert str(EXAMPLES[error]) in answer.get_json()["errors"][0]["long_message"]
        schemas.check(schemas.ERRORS, answer.get_json())
        assert answer.headers["Content-Type"] == "application/json"
        assert ("WWW-Authenticate" in answer.headers) == (status == 401)
        retry_after = "17" if error in (errors.RateLimited, errors.ServiceBusy) else None
        assert answer.headers.get("Retry-After") == retry_after


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
