"""deepset responses to every error raised while inviting."""

from typing import Any, NoReturn

import pytest
from flask.testing import FlaskClient

from invite_app import errors as facts
from invite_app.errors import DomainError
from invite_app.services import invitations
from tests.support.databases import on_sqlite
from tests.support.factories import Acme, Key

from .facts import EXAMPLES, every_fact

ROOMS = ["01980000-0000-7000-8000-00000000000a", "01980000-0000-7000-8000-00000000000b"]
BODY = {
    "given_name": "Ana",
    "family_name": "Guest",
    "email": "ana@",
    "role": "captain",
    "workspace_ids": ROOMS,
    "note": "n",
    "plan": "gold",
}
PAID = "Inviting users is not available on the free plan. To invite team members, please upgrade to a paid plan."
BLOCKED = "This invitation cannot be accepted right now. The admins have been told."
NOT_FOUND = "Not Found"


def refusal(*place: str | int, msg: str, value: Any) -> list[dict[str, Any]]:
    return [{"type": "value_error", "loc": list(place), "msg": msg, "input": value}]


EXPECTED: dict[type[DomainError], tuple[int, Any]] = {
    facts.Unauthenticated: (401, "Sign in, or send a valid API key."),
    facts.InvalidCredentials: (401, "Email or password is wrong."),
    facts.SignInRequired: (401, "There is an account for ana@guest.example. Sign in to accept."),
    facts.PlanUpgradeRequired: (402, PAID),
    facts.SeatLimitReached: (402, "All 5 seats are in use. Revoke an invitation or raise the limit."),
    facts.PermissionDenied: (403, "Your role does not allow this."),
    facts.CannotGrantRole: (403, "You cannot grant Owner: your own role does not have all of its permissions."),
    facts.CannotManageMember: (
        403,
        "You cannot change somebody whose role has permissions that yours does not have.",
    ),
    facts.WrongAccount: (403, "This invitation is for another address."),
    facts.EmailVerificationRequired: (403, "Open the link in the email that was sent to ana@guest.example."),
    facts.OrganizationNotFound: (404, NOT_FOUND),
    facts.UserNotFound: (404, NOT_FOUND),
    facts.MembershipNotFound: (404, NOT_FOUND),
    facts.InvitationNotFound: (404, NOT_FOUND),
    facts.ApiKeyNotFound: (404, NOT_FOUND),
    facts.BatchNotFound: (404, NOT_FOUND),
    facts.ImportNotFound: (404, NOT_FOUND),
    facts.OwnershipTransferNotFound: (404, NOT_FOUND),
    facts.InvalidLink: (404, NOT_FOUND),
    facts.AlreadyMember: (409, "The user already belongs to the organization."),
    facts.CannotInviteYourself: (409, "The user already belongs to the organization."),
    facts.InvitationPending: (409, "ana@guest.example is already invited."),
    facts.InvitationClosed: (409, "This invitation has ended: it is revoked."),
    facts.NameTaken: (409, "There is already a role called “Helpers”."),
    facts.BuiltInRole: (409, "Owner is built in. Duplicate it to make your own."),
    facts.RoleInUse: (409, "Choose a role for the 3 members who have Helpers first."),
    facts.LastOwner: (
        409,
        "The last owner cannot leave, be removed or get another role. Hand over ownership first.",
    ),
    facts.SoleOwner: (
        409,
        "Acme and Globex would have no owner. Transfer ownership or delete the organization first.",
    ),
    facts.DuplicateRow: (409, "Same address as row 2."),
    facts.RequestInProgress: (
        409,
        "The first request with this Idempotency-Key is still running. Try again in a moment.",
    ),
    facts.InviterNotAllowed: (409, BLOCKED),
    facts.RoleDeleted: (409, BLOCKED),
    facts.AccountExists: (409, "There is already an account for ana@guest.example."),
    facts.AlreadySetUp: (409, "Already set up. Sign in."),
    facts.InvalidEmail: (
        422,
        refusal("body", "email", msg="Enter an email address, like name@example.com.", value="ana@"),
    ),
    facts.DomainNotAllowed: (
        422,
        refusal("body", "email", msg="Only addresses at acme.example or acme.test can be invited.", value="ana@"),
    ),
    facts.InvalidName: (422, refusal("body", "given_name", msg="Enter a given name.", value="Ana")),
    facts.InvalidNote: (422, refusal("body", "note", msg="Use at most 1,000 characters.", value="n")),
    facts.InvalidLifetime: (
        422,
        refusal("body", "lifetime", msg="Choose between 1 hour and 365 days.", value=None),
    ),
    facts.InvalidMetadata: (422, refusal("body", "public_metadata", msg="Use less.", value=None)),
    facts.InvalidSetting: (422, refusal("body", "plan", msg="Choose paid or free.", value="gold")),
    facts.WeakPassword: (422, refusal("body", "password", msg="Use at least 12 characters.", value=None)),
    facts.RedirectNotAllowed: (
        422,
        refusal(
            "body",
            "redirect_uri",
            msg="This address is not among the organization's allowed redirect origins: https://elsewhere.example/",
            value=None,
        ),
    ),
    facts.RoleNotFound: (
        422,
        refusal("body", "role", msg="There is no role “captain” in this organization.", value="captain"),
    ),
    facts.WorkspaceNotFound: (
        422,
        refusal("body", "workspace_ids", 1, msg="There is no such workspace in this organization.", value=ROOMS[1]),
    ),
    facts.TooManyRows: (422, refusal("body", "invitations", msg="10,001 rows; 10,000 fit.", value=None)),
    facts.EmptyImport: (422, refusal("body", "invitations", msg="There is nobody on this list.", value=None)),
    facts.UnreadableImport: (
        422,
        refusal("body", "invitations", msg="This file is not text. Save the sheet as CSV.", value=None),
    ),
    facts.IdempotencyKeyReused: (
        422,
        refusal(
            "header",
            "Idempotency-Key",
            msg="This Idempotency-Key was used for another request. Use a new one.",
            value="one",
        ),
    ),
    facts.ServiceBusy: (503, "The server is busy. Try again in 17 seconds."),
    facts.RateLimited: (429, "Too many tries for now. Try again in 17 seconds."),
    facts.DeliveryFailed: (503, "Something went wrong during signup."),
}


@on_sqlite
@pytest.mark.parametrize("fact", every_fact(), ids=lambda fact: fact.__name__)
def test_error_has_the_published_response(
    client: FlaskClient, acme: Acme, key: Key, monkeypatch: pytest.MonkeyPatch, fact: type[DomainError]
) -> None:
    def error_response(*_: Any, **__: Any) -> NoReturn:
        raise EXAMPLES[fact]

    monkeypatch.setattr(invitations, "send", error_response)
    url = f"/api/v1/organization/{acme.id}/invitation"
    answer = client.post(url, json=BODY, headers=key.headers)
    status, detail = EXPECTED[fact]
    assert (answer.status_code, answer.get_json()) == (status, {"detail": detail})
    assert answer.content_type == "application/json"
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert answer.headers.get("Retry-After") == ("17" if fact in (facts.RateLimited, facts.ServiceBusy) else None)
