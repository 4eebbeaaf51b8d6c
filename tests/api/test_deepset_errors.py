"""deepset responses to every error raised while inviting."""

from typing import Any, NoReturn

import pytest
from flask.testing import FlaskClient

from invite_app import errors
from invite_app.errors import DomainError
from invite_app.services import invitations
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, Key

from .error_examples import EXAMPLES, all_errors

WORKSPACES = ["01980000-0000-7000-8000-00000000000a", "01980000-0000-7000-8000-00000000000b"]
BODY = {
    "given_name": "Ana",
    "family_name": "Guest",
    "email": "ana@",
    "role": "captain",
    "workspace_ids": WORKSPACES,
    "note": "n",
    "plan": "gold",
}
PAID = "Inviting users is not available on the free plan. To invite team members, please upgrade to a paid plan."
BLOCKED = "This invitation cannot be accepted right now. The admins have been told."
NOT_FOUND = "Not Found"


def value_error(*place: str | int, msg: str, value: Any) -> list[dict[str, Any]]:
    return [{"type": "value_error", "loc": list(place), "msg": msg, "input": value}]


EXPECTED: dict[type[DomainError], tuple[int, Any]] = {
    errors.Unauthenticated: (401, "Sign in, or send a valid API key."),
    errors.InvalidCredentials: (401, "Email or password is wrong."),
    errors.SignInRequired: (401, "There is an account for ana@guest.example. Sign in to accept."),
    errors.PlanUpgradeRequired: (402, PAID),
    errors.SeatLimitReached: (402, "All 5 seats are in use. Revoke an invitation or raise the limit."),
    errors.PermissionDenied: (403, "Your role does not allow this."),
    errors.CannotGrantRole: (403, "You cannot grant Owner: your own role does not have all of its permissions."),
    errors.CannotManageMember: (
        403,
        "You cannot change somebody whose role has permissions that yours does not have.",
    ),
    errors.WrongAccount: (403, "This invitation is for another address."),
    errors.EmailVerificationRequired: (403, "Open the link in the email that was sent to ana@guest.example."),
    errors.OrganizationNotFound: (404, NOT_FOUND),
    errors.UserNotFound: (404, NOT_FOUND),
    errors.MembershipNotFound: (404, NOT_FOUND),
    errors.InvitationNotFound: (404, NOT_FOUND),
    errors.ApiKeyNotFound: (404, NOT_FOUND),
    errors.BatchNotFound: (404, NOT_FOUND),
    errors.ImportNotFound: (404, NOT_FOUND),
    errors.OwnershipTransferNotFound: (404, NOT_FOUND),
    errors.InvalidLink: (404, NOT_FOUND),
    errors.AlreadyMember: (409, "The user already belongs to the organization."),
    errors.CannotInviteYourself: (409, "The user already belongs to the organization."),
    errors.InvitationPending: (409, "ana@guest.example is already invited."),
    errors.InvitationClosed: (409, "This invitation has ended: it is revoked."),
    errors.NameTaken: (409, "There is already a role called “Helpers”."),
    errors.BuiltInRole: (409, "Owner is built in. Duplicate it to make your own."),
    errors.RoleInUse: (409, "Choose a role for the 3 members who have Helpers first."),
    errors.LastOwner: (
        409,
        "The last owner cannot leave, be removed or get another role. Hand over ownership first.",
    ),
    errors.SoleOwner: (
        409,
        "Acme and Globex would have no owner. Transfer ownership or delete the organization first.",
    ),
    errors.DuplicateRow: (409, "Same address as row 2."),
    errors.RequestInProgress: (
        409,
        "The first request with this Idempotency-Key is still running. Try again in a moment.",
    ),
    errors.InviterNotAllowed: (409, BLOCKED),
    errors.RoleDeleted: (409, BLOCKED),
    errors.AccountExists: (409, "There is already an account for ana@guest.example."),
    errors.AlreadySetUp: (409, "Already set up. Sign in."),
    errors.InvalidEmail: (
        422,
        value_error("body", "email", msg="Enter an email address, like name@example.com.", value="ana@"),
    ),
    errors.DomainNotAllowed: (
        422,
        value_error("body", "email", msg="Only addresses at acme.example or acme.test can be invited.", value="ana@"),
    ),
    errors.InvalidName: (422, value_error("body", "given_name", msg="Enter a given name.", value="Ana")),
    errors.InvalidNote: (422, value_error("body", "note", msg="Use at most 1,000 characters.", value="n")),
    errors.InvalidLifetime: (
        422,
        value_error("body", "lifetime", msg="Choose between 1 hour and 365 days.", value=None),
    ),
    errors.InvalidMetadata: (422, value_error("body", "public_metadata", msg="Use less.", value=None)),
    errors.InvalidSetting: (422, value_error("body", "plan", msg="Choose paid or free.", value="gold")),
    errors.WeakPassword: (422, value_error("body", "password", msg="Use at least 12 characters.", value=None)),
    errors.RedirectNotAllowed: (
        422,
        value_error(
            "body",
            "redirect_uri",
            msg="This address is not among the organization's allowed redirect origins: https://elsewhere.example/",
            value=None,
        ),
    ),
    errors.RoleNotFound: (
        422,
        value_error("body", "role", msg="There is no role “captain” in this organization.", value="captain"),
    ),
    errors.WorkspaceNotFound: (
        422,
        value_error(
            "body", "workspace_ids", 1, msg="There is no such workspace in this organization.", value=WORKSPACES[1]
        ),
    ),
    errors.TooManyRows: (422, value_error("body", "invitations", msg="10,001 rows; 10,000 fit.", value=None)),
    errors.EmptyImport: (422, value_error("body", "invitations", msg="There is nobody on this list.", value=None)),
    errors.UnreadableImport: (
        422,
        value_error("body", "invitations", msg="This file is not text. Save the sheet as CSV.", value=None),
    ),
    errors.IdempotencyKeyReused: (
        422,
        value_error(
            "header",
            "Idempotency-Key",
            msg="This Idempotency-Key was used for another request. Use a new one.",
            value="one",
        ),
    ),
    errors.ServiceBusy: (503, "The server is busy. Try again in 17 seconds."),
    errors.RateLimited: (429, "Too many tries for now. Try again in 17 seconds."),
    errors.DeliveryFailed: (503, "Something went wrong during signup."),
}


@on_sqlite
@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.__name__)
def test_error_has_the_published_response(
    client: FlaskClient, acme: Acme, key: Key, monkeypatch: pytest.MonkeyPatch, error: type[DomainError]
) -> None:
    def error_response(*_: Any, **__: Any) -> NoReturn:
        raise EXAMPLES[error]

    monkeypatch.setattr(invitations, "send", error_response)
    url = f"/api/v1/organization/{acme.id}/invitation"
    answer = client.post(url, json=BODY, headers=key.headers)
    status, detail = EXPECTED[error]
    assert (answer.status_code, answer.get_json()) == (status, {"detail": detail})
    assert answer.content_type == "application/json"
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert answer.headers.get("Retry-After") == ("17" if error in (errors.RateLimited, errors.ServiceBusy) else None)
