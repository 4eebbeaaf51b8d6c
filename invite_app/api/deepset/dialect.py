"""The deepset API and ours, which extends it in the same style: who asks, and the answer to each fact."""

from dataclasses import replace
from typing import Any

from werkzeug.exceptions import HTTPException

from invite_app import errors as facts
from invite_app.api.authentication import bearer_or_session
from invite_app.api.dialect import Dialect, ErrorTable, Row
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
    RequestInvalid: Row(422, malformed),
    HTTPException: Row(None, http_name),
    # who is asking, where
    facts.Unauthenticated: Row(401, sentence, SIGN_IN),
    facts.InvalidCredentials: Row(401, sentence, SIGN_IN),
    facts.SignInRequired: Row(401, sentence, SIGN_IN),
    facts.OrganizationNotFound: Row(404, not_found),
    facts.PermissionDenied: Row(403, sentence),
    # values
    facts.InvalidValue: Row(422, own_field_error),
    facts.InvalidEmail: Row(422, field_error("email")),
    facts.DomainNotAllowed: Row(422, field_error("email")),
    facts.RedirectNotAllowed: Row(422, field_error("redirect_uri")),
    facts.RoleNotFound: Row(422, field_error("role")),
    facts.WorkspaceNotFound: Row(422, at_workspace),
    facts.NameTaken: Row(409, sentence),
    # things that are not there
    facts.UserNotFound: Row(404, not_found),
    facts.MembershipNotFound: Row(404, not_found),
    facts.InvitationNotFound: Row(404, not_found),
    facts.ApiKeyNotFound: Row(404, not_found),
    facts.BatchNotFound: Row(404, not_found),
    facts.ImportNotFound: Row(404, not_found),
    facts.OwnershipTransferNotFound: Row(404, not_found),
    facts.InvalidLink: Row(404, not_found),
    # rights
    facts.CannotGrantRole: Row(403, sentence),
    facts.CannotManageMember: Row(403, sentence),
    facts.WrongAccount: Row(403, sentence),
    facts.EmailVerificationRequired: Row(403, sentence),
    # the state of things
    facts.PlanUpgradeRequired: Row(402, sentence),
    facts.SeatLimitReached: Row(402, sentence),
    facts.AlreadyMember: Row(409, fixed_message("The user already belongs to the organization.")),
    facts.CannotInviteYourself: Row(409, fixed_message("The user already belongs to the organization.")),
    facts.InvitationPending: Row(409, sentence),
    facts.InvitationClosed: Row(409, sentence),
    facts.LastOwner: Row(409, sentence),
    facts.SoleOwner: Row(409, sentence),
    facts.CannotAccept: Row(409, sentence),
    facts.AccountExists: Row(409, sentence),
    facts.AlreadySetUp: Row(409, sentence),
    facts.BuiltInRole: Row(409, sentence),
    facts.RoleInUse: Row(409, sentence),
    facts.DuplicateRow: Row(409, sentence),
    facts.TooManyRows: Row(422, field_error("invitations")),
    facts.EmptyImport: Row(422, field_error("invitations")),
    facts.UnreadableImport: Row(422, field_error("invitations")),
    facts.IdempotencyKeyReused: Row(422, at_header),
    facts.RequestInProgress: Row(409, sentence),
    facts.RateLimited: Row(429, sentence),
    facts.ServiceBusy: Row(503, sentence),
    facts.DeliveryFailed: Row(503, fixed_message("Something went wrong during signup.")),
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
    unrouted="/api/v1",
    description=replace(FASTAPI_STYLE, header_parameters=(ORGANIZATION_HEADER,)),
)
