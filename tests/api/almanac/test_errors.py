"""Almanac responses to every error raised while inviting."""

from typing import Any, NoReturn

import pytest
from flask.testing import FlaskClient

from invite_app import errors
from invite_app.errors import DomainError
from invite_app.services import invitations
from tests.api.error_examples import EXAMPLES, all_errors
from tests.support.databases import on_sqlite

from .conftest import ANA, Post
from .published import HTTP_VALIDATION_ERROR, check

# Errors with a message, and their status.
MESSAGES: dict[type[DomainError], int] = {
    errors.Unauthenticated: 401,
    errors.InvalidCredentials: 401,
    errors.SignInRequired: 401,
    errors.PermissionDenied: 403,
    errors.CannotGrantRole: 403,
    errors.CannotManageMember: 403,
    errors.WrongAccount: 403,
    errors.EmailVerificationRequired: 403,
    errors.InvitationClosed: 409,
    errors.LastOwner: 409,
    errors.SoleOwner: 409,
    errors.InviterNotAllowed: 409,
    errors.RoleDeleted: 409,
    errors.AccountExists: 409,
    errors.AlreadySetUp: 409,
    errors.BuiltInRole: 409,
    errors.RoleInUse: 409,
    errors.RequestInProgress: 409,
    errors.ServiceBusy: 503,
    errors.RateLimited: 429,
    errors.DeliveryFailed: 503,
}

NOT_FOUND = {
    *(errors.OrganizationNotFound, errors.UserNotFound, errors.MembershipNotFound, errors.InvitationNotFound),
    *(
        errors.ApiKeyNotFound,
        errors.BatchNotFound,
        errors.ImportNotFound,
        errors.OwnershipTransferNotFound,
        errors.InvalidLink,
    ),
}

# Errors located at a field of the body. All others concern the body as a whole.
PLACES: dict[type[DomainError], str] = {
    errors.InvalidEmail: "email",
    errors.DomainNotAllowed: "email",
    errors.RoleNotFound: "role",
    errors.NameTaken: "slug",
    errors.InvalidName: "given_name",
    errors.InvalidNote: "note",
    errors.InvalidLifetime: "lifetime",
    errors.InvalidMetadata: "public_metadata",
    errors.InvalidSetting: "plan",
    errors.WeakPassword: "password",
}


def expected(error: type[DomainError]) -> tuple[int, Any]:
    message = str(EXAMPLES[error])
    if error in NOT_FOUND:
        return 404, "Not Found"
    if error in MESSAGES:
        return MESSAGES[error], message
    if error is errors.IdempotencyKeyReused:
        loc = ["header", "Idempotency-Key"]
        return 422, [{"type": "value_error", "loc": loc, "msg": message, "input": "one"}]
    place = PLACES.get(error)
    value = ANA.get(place) if place else ANA
    return 422, [
        {"type": "value_error", "loc": ["body", place] if place else ["body"], "msg": message, "input": value}
    ]


@on_sqlite
@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.__name__)
def test_error_has_the_published_response(
    post: Post, monkeypatch: pytest.MonkeyPatch, error: type[DomainError]
) -> None:
    def error_response(*_: Any, **__: Any) -> NoReturn:
        raise EXAMPLES[error]

    monkeypatch.setattr(invitations, "send", error_response)
    answer = post()
    status, detail = expected(error)
    assert (answer.status_code, answer.get_json()) == (status, {"detail": detail})
    assert answer.content_type == "application/json"
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert answer.headers.get("Retry-After") == ("17" if error in (errors.RateLimited, errors.ServiceBusy) else None)
    if status == 422:
        check(answer.get_json(), HTTP_VALIDATION_ERROR)


@on_sqlite
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/organizations/x/members/invite"),
        ("PUT", "/v1/organizations/x/members/invite"),
        ("OPTIONS", "/v1/organizations/x/members/invite"),
        ("POST", "/v1/organizations/x/members"),
        ("GET", "/v1/organizations/x/invitations/y/resend"),
        ("DELETE", "/v1/organizations"),
    ],
)
def test_wrong_method_is_answered_by_the_paths_dialect(client: FlaskClient, method: str, path: str) -> None:
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.get_json()) == (405, {"detail": "Method Not Allowed"})
    assert answer.content_type == "application/json"
    assert "Allow" in answer.headers


@on_sqlite
def test_unknown_paths_get_clerks_response(client: FlaskClient) -> None:
    for path in ("/v1", "/v1/unknown", "/v1/organizations/x/members/invite/again"):
        assert list(client.get(path).get_json()) == ["errors"]


@on_sqlite
def test_failure_response_hides_the_reason(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> NoReturn:
        raise RuntimeError("the secret reason")

    monkeypatch.setattr(invitations, "send", fail)
    answer = post()
    assert (answer.status_code, answer.get_json()) == (500, {"detail": "Internal Server Error"})
