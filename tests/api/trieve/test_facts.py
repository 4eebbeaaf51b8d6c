"""Trieve responses to every error raised while inviting."""

from typing import Any, NoReturn

import pytest
from flask.testing import FlaskClient

from invite_app import errors as facts
from invite_app.errors import DomainError
from invite_app.services import invitations
from tests.api.facts import EXAMPLES, every_fact
from tests.support.databases import on_sqlite

from .conftest import Post

# All other errors are 400 with the error's own message.
EXPECTED: dict[type[DomainError], tuple[int, str]] = {
    facts.Unauthenticated: (401, "Unauthorized"),
    facts.InvalidCredentials: (401, "Unauthorized"),
    facts.SignInRequired: (401, "Unauthorized"),
    facts.PermissionDenied: (403, "Forbidden"),
    facts.CannotManageMember: (403, "Forbidden"),
    facts.WrongAccount: (403, "Forbidden"),
    facts.EmailVerificationRequired: (403, "Forbidden"),
    facts.OrganizationNotFound: (404, "Not Found: Organization not found"),
    facts.InvalidEmail: (400, "Invalid email"),
    facts.CannotInviteYourself: (400, "Can not invite yourself"),
    facts.RoleNotFound: (400, "Can not invite user with higher role than yours"),
    facts.CannotGrantRole: (400, "Can not invite user with higher role than yours"),
    facts.AlreadyMember: (400, "User with email ana@guest.example is already in the organization"),
    facts.InvitationPending: (400, "User with email ana@guest.example has already been invited"),
    facts.InvitationNotFound: (400, "Error getting invitation."),
    facts.ServiceBusy: (503, "The server is busy. Try again in 17 seconds."),
    facts.RateLimited: (429, "Too many tries for now. Try again in 17 seconds."),
}


@on_sqlite
@pytest.mark.parametrize("fact", every_fact(), ids=lambda fact: fact.__name__)
def test_error_has_the_published_response(
    post: Post, monkeypatch: pytest.MonkeyPatch, fact: type[DomainError]
) -> None:
    def error_response(*_: Any, **__: Any) -> NoReturn:
        raise EXAMPLES[fact]

    monkeypatch.setattr(invitations, "send", error_response)
    answer = post()
    status, message = EXPECTED.get(fact, (400, str(EXAMPLES[fact])))
    assert (answer.status_code, answer.get_json()) == (status, {"message": message})
    assert answer.content_type == "application/json"
    assert answer.headers.get("Retry-After") == ("17" if fact in (facts.RateLimited, facts.ServiceBusy) else None)


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
