"""The deepset API and ours, which extends it in the same style: who asks, and the answer to each fact."""

from dataclasses import replace
from typing import Any

from werkzeug.exceptions import HTTPException

from invite_app import errors as facts
from invite_app.api.authentication import bearer_or_session
from invite_app.api.dialect import Dialect, ErrorResponse, ErrorTable
from invite_app.api.dialect_docs import FASTAPI_STYLE
from invite_app.api.fastapi_errors import (
    SIGN_IN,
    at_header,
    field_error,
    fixed_message,
    http_name,
    malformed,
    not_found,
    own_field_error,
    sentence,
)
from invite_app.api.request_parsing import RequestInvalid


def at_workspace(error: facts.WorkspaceNotFound) -> Any:
    return field_error("workspace_ids", error.index)(error)


ERRORS: ErrorTable = {
    RequestInvalid: ErrorResponse(422, malformed),
    HTTPException: ErrorResponse(None, http_name),
    # who is asking, where
    facts.Unauthenticated: ErrorResponse(401, sentence, SIGN_IN),
    facts.InvalidCredentials: ErrorResponse(401, sentence, SIGN_IN),
    facts.SignInRequired: ErrorResponse(401, sentence, SIGN_IN),
    facts.OrganizationNotFound: ErrorResponse(404, not_found),
    facts.PermissionDenied: ErrorResponse(403, sentence),
    # values
    facts.InvalidValue: ErrorResponse(422, own_field_error),
    facts.InvalidEmail: ErrorResponse(422, field_error("email")),
    facts.DomainNotAllowed: ErrorResponse(422, field_error("email")),
    facts.RedirectNotAllowed: ErrorResponse(422, field_error("redirect_uri")),
    facts.RoleNotFound: ErrorResponse(422, field_error("role")),
    facts.WorkspaceNotFound: ErrorResponse(422, at_workspace),
    facts.NameTaken: ErrorResponse(409, sentence),
    # things that are not there
    facts.UserNotFound: ErrorResponse(404, not_found),
    facts.MembershipNotFound: ErrorResponse(404, not_found),
    facts.InvitationNotFound: ErrorResponse(404, not_found),
    facts.ApiKeyNotFound: ErrorResponse(404, not_found),
    facts.BatchNotFound: ErrorResponse(404, not_found),
    facts.ImportNotFound: ErrorResponse(404, not_found),
    facts.OwnershipTransferNotFound: ErrorResponse(404, not_found),
    facts.InvalidLink: ErrorResponse(404, not_found),
    # rights
    facts.CannotGrantRole: ErrorResponse(403, sentence),
    facts.CannotManageMember: ErrorResponse(403, sentence),
    facts.WrongAccount: ErrorResponse(403, sentence),
    facts.EmailVerificationRequired: ErrorResponse(403, sentence),
    # the state of things
    facts.PlanUpgradeRequired: ErrorResponse(402, sentence),
    facts.SeatLimitReached: ErrorResponse(402, sentence),
    facts.AlreadyMember: ErrorResponse(409, fixed_message("The user already belongs to the organization.")),
    facts.CannotInviteYourself: ErrorResponse(409, fixed_message("The user already belongs to the organization.")),
    facts.InvitationPending: ErrorResponse(409, sentence),
    facts.InvitationClosed: ErrorResponse(409, sentence),
    facts.LastOwner: ErrorResponse(409, sentence),
    facts.SoleOwner: ErrorResponse(409, sentence),
    facts.CannotAccept: ErrorResponse(409, sentence),
    facts.AccountExists: ErrorResponse(409, sentence),
    facts.AlreadySetUp: ErrorResponse(409, sentence),
    facts.BuiltInRole: ErrorResponse(409, sentence),
    facts.RoleInUse: ErrorResponse(409, sentence),
    facts.DuplicateRow: ErrorResponse(409, sentence),
    facts.TooManyRows: ErrorResponse(422, field_error("invitations")),
    facts.EmptyImport: ErrorResponse(422, field_error("invitations")),
    facts.UnreadableImport: ErrorResponse(422, field_error("invitations")),
    facts.IdempotencyKeyReused: ErrorResponse(422, at_header),
    facts.RequestInProgress: ErrorResponse(409, sentence),
    facts.RateLimited: ErrorResponse(429, sentence),
    facts.ServiceBusy: ErrorResponse(503, sentence),
    facts.DeliveryFailed: ErrorResponse(503, fixed_message("Something went wrong during signup.")),
}

ORGANIZATION_HEADER = {
    "name": "X-Organization-ID",
    "in": "header",
    "required": False,
    "description": "The organization to act in; a key only acts in its own.",
    "schema": {"type": "string"},
}

deepset = Dialect(
    "deepset",
    prefix="/api/v1",
    authenticate=bearer_or_session,
    errors=ERRORS,
    fallback_prefix="/api/v1",
    description=replace(FASTAPI_STYLE, header_parameters=(ORGANIZATION_HEADER,)),
)
