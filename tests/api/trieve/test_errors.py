"""Trieve responses to every error raised while inviting."""

from typing import Any, NoReturn

import pytest
from flask.testing import FlaskClient

from invite_app import errors
from invite_app.errors import DomainError
from invite_app.services import invitations
from tests.api.error_examples import EXAMPLES, all_errors
from tests.support.databases import on_sqlite

from .conftest import Post

# All other errors are 400 with the error's own message.
EXPECTED: dict[type[DomainError], tuple[int, str]] = {
    errors.Unauthenticated: (401, "Unauthorized"),
    errors.InvalidCredentials: (401, "Unauthorized"),
    errors.SignInRequired: (401, "Unauthorized"),
    errors.PermissionDenied: (403, "Forbidden"),
    errors.CannotManageMember: (403, "Forbidden"),
    errors.WrongAccount: (403, "Forbidden"),
    errors.EmailVerificationRequired: (403, "Forbidden"),
    errors.OrganizationNotFound: (404, "Not Found: Organization not found"),
    errors.InvalidEmail: (400, "Invalid email"),
    errors.CannotInviteYourself: (400, "Can not invite yourself"),
    errors.RoleNotFound: (400, "Can not invite user with higher role than yours"),
    errors.CannotGrantRole: (400, "Can not invite user with higher role than yours"),
    errors.AlreadyMember: (400, "User with email ana@guest.example is already in the organization"),
    errors.InvitationPending: (400, "User with email ana@guest.example has already been invited"),
    errors.InvitationNotFound: (400, "Error getting invitation."),
    errors.ServiceBusy: (503, "The server is busy. Try again in 17 seconds."),
    errors.RateLimited: (429, "Too many tries for now. Try again in 17 seconds."),
}


@on_sqlite
@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.__name__)
def test_error_has_the_published_response(
    post: Post, monkeypatch: pytest.MonkeyPatch, error: type[DomainError]
) -> None:
    def error_response(*_: Any, **__: Any) -> NoReturn:
        raise EXAMPLES[error]

    monkeypatch.setattr(invitations, "send", error_response)
    answer = post()
    status, message = EXPECTED.get(error, (400, str(EXAMPLES[error])))
    assert (answer.status_code, answer.get_json()) == (status, {"message": message})
    assert answer.content_type == "application/json"
    assert answer.headers.get("Retry-After") == ("17" if error in (errors.RateLimited, errors.ServiceBusy) else None)


@on_sqlite
@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/api", 404, "Not Found"),
        ("GET", "/api/", 404, "Not Found"),
        ("GET", "/api/dataset", 404, "Not Found"),
        ("POST", "/api/organization/x/y/z", 404, "Not Found"),
        ("GET", "/api/invitation", 405, "Method Not Allowed"),
        ("OPTIONS", "/api/invitation", 405, "Method Not Allowed"),
        ("PATCH", "/api/user", 405, "Method Not Allowed"),
        ("DELETE", "/api/organization/x", 405, "Method Not Allowed"),
    ],
)
def test_unknown_paths(client: FlaskClient, method: str, path: str, status: int, message: str) -> None:
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.get_json()) == (status, {"message": message})
    assert answer.content_type == "application/json"


@on_sqlite
def test_native_paths_keep_the_native_response(client: FlaskClient) -> None:
    for path in ("/api/v1", "/api/v1/", "/api/v1/unknown"):
        assert client.get(path).get_json() == {"detail": "Not Found"}


@on_sqlite
def test_failure_response_hides_the_reason(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> NoReturn:
        raise RuntimeError("the secret reason")

    monkeypatch.setattr(invitations, "send", fail)
    answer = post()
    assert (answer.status_code, answer.get_json()) == (500, {"message": "Internal Server Error"})
