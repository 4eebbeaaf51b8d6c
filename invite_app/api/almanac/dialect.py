"""The Almanac API: authentication, and error responses in FastAPI's format."""

from dataclasses import replace

from pydantic import ConfigDict
from werkzeug.exceptions import HTTPException

from invite_app import errors as facts
from invite_app.api.authentication import bearer_or_session
from invite_app.api.dialect import Dialect, ErrorResponse, ErrorTable
from invite_app.api.dialect_docs import FASTAPI_STYLE
from invite_app.api.fastapi_errors import (
    SIGN_IN,
    at_header,
    field_error,
    http_name,
    malformed,
    not_found,
    own_field_error,
    sentence,
)
from invite_app.api.request_parsing import RequestInvalid
from invite_app.api.schema import Schema


class Closed(Schema):
    """A body that knows all of its fields."""

    model_config = ConfigDict(extra="forbid")


not_signed_in = ErrorResponse(401, sentence, SIGN_IN)
forbidden = ErrorResponse(403, sentence)
unknown = ErrorResponse(404, not_found)
conflict = ErrorResponse(409, sentence)
# Reported for the body as a whole: the published API has no other status for these errors.
impossible = ErrorResponse(422, field_error())

ERRORS: ErrorTable = {
    RequestInvalid: ErrorResponse(422, malformed),
    HTTPException: ErrorResponse(None, http_name),
    # who is asking, where
    facts.Unauthenticated: not_signed_in,
    facts.InvalidCredentials: not_signed_in,
    facts.SignInRequired: not_signed_in,
    facts.OrganizationNotFound: unknown,
    facts.PermissionDenied: forbidden,
    # values
    facts.InvalidValue: ErrorResponse(422, own_field_error),
    facts.InvalidEmail: ErrorResponse(422, field_error("email")),
    facts.DomainNotAllowed: ErrorResponse(422, field_error("email")),
    facts.RoleNotFound: ErrorResponse(422, field_error("role")),
    facts.NameTaken: ErrorResponse(422, field_error("slug")),
    facts.RedirectNotAllowed: impossible,
    facts.WorkspaceNotFound: impossible,
    facts.IdempotencyKeyReused: ErrorResponse(422, at_header),
    # things that are not there
    facts.UserNotFound: unknown,
    facts.MembershipNotFound: unknown,
    facts.InvitationNotFound: unknown,
    facts.ApiKeyNotFound: unknown,
    facts.BatchNotFound: unknown,
    facts.ImportNotFound: unknown,
    facts.OwnershipTransferNotFound: unknown,
    facts.InvalidLink: unknown,
    # rights
    facts.CannotGrantRole: forbidden,
    facts.CannotManageMember: forbidden,
    facts.WrongAccount: forbidden,
    facts.EmailVerificationRequired: forbidden,
    # the state of things
    facts.PlanUpgradeRequired: impossible,
    facts.SeatLimitReached: impossible,
    facts.AlreadyMember: impossible,
    facts.CannotInviteYourself: impossible,
    facts.InvitationPending: impossible,
    facts.DuplicateRow: impossible,
    facts.TooManyRows: impossible,
    facts.EmptyImport: impossible,
    facts.UnreadableImport: impossible,
    facts.InvitationClosed: conflict,
    facts.LastOwner: conflict,
    facts.SoleOwner: conflict,
    facts.CannotAccept: conflict,
    facts.AccountExists: conflict,
    facts.AlreadySetUp: conflict,
    facts.BuiltInRole: conflict,
    facts.RoleInUse: conflict,
    facts.RequestInProgress: conflict,
    facts.RateLimited: ErrorResponse(429, sentence),
    facts.ServiceBusy: ErrorResponse(503, sentence),
    facts.DeliveryFailed: ErrorResponse(503, sentence),
}

# The published document also lists this header as a parameter.
AUTHORIZATION = {
    "name": "authorization",
    "in": "header",
    "required": False,
    "schema": {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Authorization"},
}

# Clerk's API has the same prefix and answers paths below it that neither serves.
almanac = Dialect(
    "almanac",
    prefix="/v1",
    authenticate=bearer_or_session,
    errors=ERRORS,
    description=replace(FASTAPI_STYLE, header_parameters=(AUTHORIZATION,)),
)
