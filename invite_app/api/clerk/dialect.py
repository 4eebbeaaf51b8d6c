"""Clerk's Backend API: authentication, and error responses with Clerk's envelope and codes."""

import re
from collections.abc import Callable
from typing import Any

from flask import request
from werkzeug.exceptions import HTTPException, InternalServerError, NotFound, Unauthorized

from invite_app import errors as facts
from invite_app.access import Actor
from invite_app.api.authentication import bearer_or_session
from invite_app.api.dialect import Dialect, ErrorResponse, ErrorTable
from invite_app.api.dialect_docs import DialectDocs
from invite_app.api.request_parsing import NotJson, Problem, RequestInvalid, WrongContentType
from invite_app.api.schema import Schema


class NoBearer(Unauthorized):
    """The Authorization header is not 'Bearer' and a key."""

    description = "Invalid Authorization header format. Must be 'Bearer YOUR_API_KEY'."


def authenticate() -> Actor:
    """The actor behind the key, or the person who is signed in. Raises NoBearer and Unauthenticated."""
    header = request.headers.get("Authorization")
    if header is not None and not re.fullmatch(r"bearer +\S.*", header, re.IGNORECASE):
        raise NoBearer
    return bearer_or_session()


def entry(code: str, message: str, long_message: str, param: str | None = None) -> dict[str, Any]:
    """One error of an envelope: `message` is short, `long_message` a sentence, `param` what is at fault."""
    found: dict[str, Any] = {"message": message, "long_message": long_message, "code": code}
    return found | {"meta": {"param_name": param}} if param else found


def told(code: str, message: str, param: str | None = None) -> Callable[[Exception], Any]:
    """Build a body with the error's own message and a code of Clerk's."""
    return lambda error: {"errors": [entry(code, message, str(error), param)]}


def invalid(param: str, code: str = "form_param_value_invalid") -> Callable[[Exception], Any]:
    return told(code, "is invalid", param)


def missing(code: str, param: str | None = None) -> Callable[[Exception], Any]:
    return told(code, "not found", param)


def invalid_field(error: facts.InvalidValue) -> Any:
    """The parameters of the services have the names they have here, but for the lifetime."""
    return invalid({"lifetime": "expires_in_days"}.get(error.field, error.field))(error)


def invalid_email(error: facts.InvalidEmail) -> Any:
    sentence = f"“{error.email}” is no email address that can be invited. {error}"
    return {"errors": [entry("form_param_format_invalid", "is invalid", sentence, "email_address")]}


def malformed(error: RequestInvalid) -> Any:
    return {"errors": [_deviation(problem) for problem in error.problems]}


def not_json(error: NotJson) -> Any:
    reason = error.problems[0]["ctx"]["error"]
    return {"errors": [entry("request_body_invalid", "is invalid", f"The request body is not JSON: {reason}.")]}


def wrong_content_type(_: WrongContentType) -> Any:
    sentence = "The Content-Type is unsupported. Use application/json instead."
    return {"errors": [entry("unsupported_content_type", "is unsupported", sentence)]}


def accident(code: str = "") -> Callable[[HTTPException], Any]:
    """Build a body from an HTTP error; its name is the code unless Clerk has one."""

    def body(error: HTTPException) -> Any:
        name = error.name.lower()
        return {"errors": [entry(code or name.replace(" ", "_"), name, error.description or error.name)]}

    return body


Telling = tuple[str, str, str]
# Code, message and sentence of the validation errors for which Clerk has a code of its own.
TELLINGS: dict[str, Telling] = {
    "missing": ("form_param_missing", "is missing", "{name} must be included."),
    "extra_forbidden": ("form_param_unknown", "is unknown", "{name} is not a valid parameter for this request."),
}
WRONG_TYPE: Telling = ("form_param_type_invalid", "is invalid", "{name}: {msg}.")
WRONG_VALUE: Telling = ("form_param_value_invalid", "is invalid", "{name}: {msg}.")


def _deviation(problem: Problem) -> dict[str, Any]:
    """The parameter is the first name on the way to the value; the items of a list are counted from 1."""
    _, *place = problem["loc"]
    param = next((step for step in place if isinstance(step, str)), None)
    is_type = problem["type"].endswith(("_type", "_parsing"))
    code, message, sentence = TELLINGS.get(problem["type"], WRONG_TYPE if is_type else WRONG_VALUE)
    item = f"Item {place[0] + 1}: " if place and isinstance(place[0], int) else ""
    told_at_length = item + sentence.format(name=param or "The request body", msg=problem["msg"])
    return entry(code, message, told_at_length, param)


NOT_FOUND = "resource_not_found"
MISSING_PERMISSION = told("missing_organization_permission", "missing permission")
SIGN_IN = {"WWW-Authenticate": "Bearer"}

ERRORS: ErrorTable = {
    RequestInvalid: ErrorResponse(422, malformed),
    NotJson: ErrorResponse(400, not_json),
    WrongContentType: ErrorResponse(415, wrong_content_type),
    HTTPException: ErrorResponse(None, accident()),
    NotFound: ErrorResponse(404, accident(NOT_FOUND)),
    InternalServerError: ErrorResponse(500, accident("internal_clerk_error")),
    # who is asking, where
    NoBearer: ErrorResponse(401, accident("authorization_header_format_invalid"), SIGN_IN),
    facts.Unauthenticated: ErrorResponse(401, told("clerk_key_invalid", "the API key is invalid"), SIGN_IN),
    facts.InvalidCredentials: ErrorResponse(401, told("incorrect_password", "incorrect password"), SIGN_IN),
    facts.SignInRequired: ErrorResponse(401, told("authentication_invalid", "sign in first"), SIGN_IN),
    facts.OrganizationNotFound: ErrorResponse(404, missing(NOT_FOUND)),
    facts.PermissionDenied: ErrorResponse(403, MISSING_PERMISSION),
    # values
    facts.InvalidValue: ErrorResponse(422, invalid_field),
    facts.InvalidEmail: ErrorResponse(422, invalid_email),
    facts.DomainNotAllowed: ErrorResponse(422, invalid("email_address")),
    facts.RedirectNotAllowed: ErrorResponse(422, invalid("redirect_url")),
    facts.NameTaken: ErrorResponse(422, told("form_identifier_exists", "is taken", "name")),
    facts.IdempotencyKeyReused: ErrorResponse(422, told("idempotency_key_reused", "used for another request")),
    facts.TooManyRows: ErrorResponse(400, told("bulk_size_exceeded", "bulk size exceeded")),
    facts.EmptyImport: ErrorResponse(422, told("form_param_value_invalid", "is invalid")),
    facts.UnreadableImport: ErrorResponse(422, told("form_param_value_invalid", "is invalid")),
    # things that are not there
    facts.RoleNotFound: ErrorResponse(404, missing(NOT_FOUND, "role")),
    facts.UserNotFound: ErrorResponse(404, missing(NOT_FOUND, "user_id")),
    facts.MembershipNotFound: ErrorResponse(404, missing(NOT_FOUND)),
    facts.InvitationNotFound: ErrorResponse(404, missing("organization_invitation_not_found")),
    facts.WorkspaceNotFound: ErrorResponse(404, missing(NOT_FOUND)),
    facts.ApiKeyNotFound: ErrorResponse(404, missing(NOT_FOUND)),
    facts.BatchNotFound: ErrorResponse(404, missing(NOT_FOUND)),
    facts.ImportNotFound: ErrorResponse(404, missing(NOT_FOUND)),
    facts.OwnershipTransferNotFound: ErrorResponse(404, missing(NOT_FOUND)),
    facts.InvalidLink: ErrorResponse(404, missing(NOT_FOUND)),
    # rights
    facts.CannotGrantRole: ErrorResponse(403, told("missing_organization_permission", "missing permission", "role")),
    facts.CannotManageMember: ErrorResponse(403, MISSING_PERMISSION),
    facts.WrongAccount: ErrorResponse(403, told("resource_forbidden", "forbidden")),
    facts.EmailVerificationRequired: ErrorResponse(403, told("resource_forbidden", "forbidden")),
    # the state of things
    facts.PlanUpgradeRequired: ErrorResponse(402, told("plan_upgrade_required", "plan upgrade required")),
    facts.SeatLimitReached: ErrorResponse(
        403, told("organization_membership_quota_exceeded", "membership quota exceeded")
    ),
    facts.AlreadyMember: ErrorResponse(400, told("already_a_member_in_organization", "already a member")),
    facts.CannotInviteYourself: ErrorResponse(400, told("already_a_member_in_organization", "already a member")),
    facts.InvitationPending: ErrorResponse(400, told("duplicate_record", "already invited")),
    facts.DuplicateRow: ErrorResponse(400, told("duplicate_record", "already in the list")),
    facts.InvitationClosed: ErrorResponse(404, told("organization_invitation_not_pending", "not pending")),
    facts.LastOwner: ErrorResponse(400, told("organization_minimum_permissions_needed", "an owner is needed")),
    facts.SoleOwner: ErrorResponse(400, told("organization_minimum_permissions_needed", "an owner is needed")),
    facts.CannotAccept: ErrorResponse(400, told("organization_invitation_blocked", "cannot be accepted")),
    facts.AccountExists: ErrorResponse(400, told("identifier_exists", "account exists", "email_address")),
    facts.AlreadySetUp: ErrorResponse(400, told("already_set_up", "already set up")),
    facts.BuiltInRole: ErrorResponse(400, told("organization_role_built_in", "built in", "role")),
    facts.RoleInUse: ErrorResponse(400, told("organization_role_in_use", "in use", "role")),
    facts.RequestInProgress: ErrorResponse(409, told("request_still_running", "still running")),
    facts.RateLimited: ErrorResponse(429, told("too_many_requests", "too many requests")),
    facts.ServiceBusy: ErrorResponse(503, told("service_busy", "service busy")),
    facts.DeliveryFailed: ErrorResponse(400, told("invitation_delivery_failed", "not delivered")),
}


class ClerkErrorMeta(Schema):
    param_name: str


class ClerkError(Schema):
    message: str
    long_message: str
    code: str
    meta: ClerkErrorMeta | None = None


class ClerkErrors(Schema):
    errors: list[ClerkError]


clerk = Dialect(
    "clerk",
    prefix="/v1",
    authenticate=authenticate,
    errors=ERRORS,
    fallback_prefix="/v1",
    description=DialectDocs(errors={None: ClerkErrors}, content_statuses=(400,)),
)
