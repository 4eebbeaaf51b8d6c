"""Almanac responses to every error raised while inviting."""

from typing import Any, NoReturn

import pytest
from flask.testing import FlaskClient

from invite_app import errors as facts
from invite_app.errors import DomainError
from invite_app.services import invitations
from tests.api.facts import EXAMPLES, every_fact
from tests.support.databases import on_sqlite

from .conftest import ANA, Post
from .published import HTTP_VALIDATION_ERROR, check

# Errors with a message, and their status.
SENTENCES: dict[type[DomainError], int] = {
    facts.Unauthenticated: 401,
    facts.InvalidCredentials: 401,
    facts.SignInRequired: 401,
    facts.PermissionDenied: 403,
    facts.CannotGrantRole: 403,
    facts.CannotManageMember: 403,
    facts.WrongAccount: 403,
    facts.EmailVerificationRequired: 403,
    facts.InvitationClosed: 409,
    facts.LastOwner: 409,
    facts.SoleOwner: 409,
    facts.InviterNotAllowed: 409,
    facts.RoleDeleted: 409,
    facts.AccountExists: 409,
    facts.AlreadySetUp: 409,
    facts.BuiltInRole: 409,
    facts.RoleInUse: 409,
    facts.RequestInProgress: 409,
    facts.ServiceBusy: 503,
    facts.RateLimited: 429,
    facts.DeliveryFailed: 503,
}

NOT_FOUND = {
    *(facts.OrganizationNotFound, facts.UserNotFound, facts.MembershipNotFound, facts.InvitationNotFound),
    *(
        facts.ApiKeyNotFound,
        facts.BatchNotFound,
        facts.ImportNotFound,
        facts.OwnershipTransferNotFound,
        facts.InvalidLink,
    ),
}

# Errors located at a field of the body. All others concern the body as a whole.
PLACES: dict[type[DomainError], str] = {
    facts.InvalidEmail: "email",
    facts.DomainNotAllowed: "email",
    facts.RoleNotFound: "role",
    facts.NameTaken: "slug",
    facts.InvalidName: "given_name",
    facts.InvalidNote: "note",
    facts.InvalidLifetime: "lifetime",
    facts.InvalidMetadata: "public_metadata",
    facts.InvalidSetting: "plan",
    facts.WeakPassword: "password",
}


def expected(fact: type[DomainError]) -> tuple[int, Any]:
    sentence = str(EXAMPLES[fact])
    if fact in NOT_FOUND:
        return 404, "Not Found"
    if fact in SENTENCES:
        return SENTENCES[fact], sentence
    if fact is facts.IdempotencyKeyReused:
        loc = ["header", "Idempotency-Key"]
        return 422, [{"type": "value_error", "loc": loc, "msg": sentence, "input": "one"}]
    place = PLACES.get(fact)
    value = ANA.get(place) if place else ANA
    return 422, [
        {"type": "value_error", "loc": ["body", place] if place else ["body"], "msg": sentence, "input": value}
    ]


@on_sqlite
@pytest.mark.parametrize("fact", every_fact(), ids=lambda fact: fact.__name__)
def test_error_has_the_published_response(
    post: Post, monkeypatch: pytest.MonkeyPatch, fact: type[DomainError]
) -> None:
    def error_response(*_: Any, **__: Any) -> NoReturn:
        raise EXAMPLES[fact]

    monkeypatch.setattr(invitations, "send", error_response)
    answer = post()
    status, detail = expected(fact)
    assert (answer.status_code, answer.get_json()) == (status, {"detail": detail})
    assert answer.content_type == "application/json"
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert answer.headers.get("Retry-After") == ("17" if fact in (facts.RateLimited, facts.ServiceBusy) else None)
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
