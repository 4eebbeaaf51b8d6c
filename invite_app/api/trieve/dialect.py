"""The Trieve API: authentication, choice of the organization, and error responses."""

from collections.abc import Callable
from typing import Any

from flask import request
from werkzeug.exceptions import HTTPException

from invite_app import errors as facts
from invite_app.access import Actor
from invite_app.api import authentication
from invite_app.api.dialect import Dialect, ErrorResponse, ErrorTable
from invite_app.api.dialect_docs import DialectDocs
from invite_app.api.request_parsing import RequestInvalid
from invite_app.api.schema import Schema

from .organization_id import NotAnId, OrganizationMismatch, addressed


def key_or_session() -> Actor:
    """The actor behind `Authorization: KEY`, `Authorization: Bearer KEY` or `X-API-KEY: KEY`; else who is signed in.

    Raises Unauthenticated.
    """
    given = request.headers.get("Authorization") or request.headers.get("X-API-KEY")
    if given is None:
        return authentication.person()
    scheme, _, rest = given.partition(" ")
    return authentication.key((rest if scheme.lower() == "bearer" else given).strip())


def sentence(error: Exception) -> Any:
    return {"message": str(error)}


def named(error: HTTPException) -> Any:
    return {"message": error.name}


def saying(words: str) -> Callable[[Exception], Any]:
    """Build a body with the message of the published API, filled in with attributes of the error."""
    return lambda error: {"message": words.format(**vars(error))}


def malformed(error: RequestInvalid) -> Any:
    return {"message": "Json Deserialization Error: " + "; ".join(map(_told, error.problems))}


def _told(problem: dict[str, Any]) -> str:
    place = ".".join(str(step) for step in problem["loc"][1:]) or "body"
    match problem["type"]:
        case "missing":
            return f"missing field `{place}`"
        case "json_invalid":
            return f"{problem['ctx']['error']} at position {place}"
        case _:
            return f"invalid field `{place}`: {problem['msg']}"


SIGN_IN = {"WWW-Authenticate": "Bearer"}
not_signed_in = ErrorResponse(401, saying("Unauthorized"), SIGN_IN)
forbidden = ErrorResponse(403, saying("Forbidden"))
refused = ErrorResponse(400, sentence)
GONE = ErrorResponse(400, saying("Error getting invitation."))
ABOVE_OWN = ErrorResponse(400, saying("Can not invite user with higher role than yours"))

ERRORS: ErrorTable = {
    RequestInvalid: ErrorResponse(400, malformed),
    OrganizationMismatch: refused,
    HTTPException: ErrorResponse(None, named),
    # who is asking, where
    facts.Unauthenticated: not_signed_in,
    facts.InvalidCredentials: not_signed_in,
    facts.SignInRequired: not_signed_in,
    facts.OrganizationNotFound: ErrorResponse(404, saying("Not Found: Organization not found")),
    facts.PermissionDenied: forbidden,
    # values
    facts.InvalidValue: refused,
    facts.InvalidEmail: ErrorResponse(400, saying("Invalid email")),
    facts.DomainNotAllowed: refused,
    facts.RedirectNotAllowed: refused,
    facts.RoleNotFound: refused,
    facts.WorkspaceNotFound: refused,
    facts.NameTaken: refused,
    facts.IdempotencyKeyReused: refused,
    # things that are not there
    facts.UserNotFound: refused,
    facts.MembershipNotFound: refused,
    facts.InvitationNotFound: GONE,
    facts.ApiKeyNotFound: refused,
    facts.BatchNotFound: refused,
    facts.ImportNotFound: refused,
    facts.OwnershipTransferNotFound: refused,
    facts.InvalidLink: refused,
    # rights
    facts.CannotGrantRole: ABOVE_OWN,
    facts.CannotManageMember: forbidden,
    facts.WrongAccount: forbidden,
    facts.EmailVerificationRequired: forbidden,
    # the state of things
    facts.PlanUpgradeRequired: refused,
    facts.SeatLimitReached: refused,
    facts.AlreadyMember: ErrorResponse(400, saying("User with email {email} is already in the organization")),
    facts.CannotInviteYourself: ErrorResponse(400, saying("Can not invite yourself")),
    facts.InvitationPending: ErrorResponse(400, saying("User with email {email} has already been invited")),
    facts.InvitationClosed: refused,
    facts.LastOwner: refused,
    facts.SoleOwner: refused,
    facts.CannotAccept: refused,
    facts.AccountExists: refused,
    facts.AlreadySetUp: refused,
    facts.BuiltInRole: refused,
    facts.RoleInUse: refused,
    facts.DuplicateRow: refused,
    facts.TooManyRows: refused,
    facts.EmptyImport: refused,
    facts.UnreadableImport: refused,
    facts.RequestInProgress: refused,
    facts.RateLimited: ErrorResponse(429, sentence),
    facts.ServiceBusy: ErrorResponse(503, sentence),
    facts.DeliveryFailed: refused,
}


class ErrorMessage(Schema):
    message: str


ORGANIZATION_HEADER = {
    "name": "TR-Organization",
    "in": "header",
    "required": False,
    "description": "The organization id to use for the request",
    "schema": {"type": "string"},
}

trieve = Dialect(
    "trieve",
    prefix="/api",
    authenticate=key_or_session,
    errors=ERRORS,
    organization=addressed,
    not_an_id=NotAnId,
    fallback_prefix="/api",
    description=DialectDocs(
        errors={None: ErrorMessage},
        security=("plainKey", "bearer", "keyHeader", "session"),
        header_parameters=(ORGANIZATION_HEADER,),
        header_statuses=(400,),
    ),
)
