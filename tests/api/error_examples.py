"""One example of every error, for tests of a dialect's error table."""

from datetime import UTC, datetime
from uuid import UUID

from invite_app import errors
from invite_app.errors import DomainError

AN_ID = UUID("01980000-0000-7000-8000-000000000001")
A_TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

EXAMPLES: dict[type[DomainError], DomainError] = {
    type(example): example
    for example in (
        errors.Unauthenticated(),
        errors.OrganizationNotFound(),
        errors.PermissionDenied("invitations:write"),
        errors.InvalidEmail("ana@"),
        errors.DomainNotAllowed("ana@guest.example", ("acme.example", "acme.test")),
        errors.InvalidName("given_name", "Enter a given name."),
        errors.InvalidNote("note", "Use at most 1,000 characters."),
        errors.InvalidLifetime("lifetime", "Choose between 1 hour and 365 days."),
        errors.InvalidMetadata("public_metadata", "Use less."),
        errors.InvalidSetting("plan", "Choose paid or free."),
        errors.WeakPassword("password", "Use at least 12 characters."),
        errors.NameTaken("role", "Helpers"),
        errors.RedirectNotAllowed("https://elsewhere.example/"),
        errors.RoleNotFound("captain"),
        errors.WorkspaceNotFound(str(AN_ID), 1),
        errors.UserNotFound(str(AN_ID)),
        errors.MembershipNotFound(str(AN_ID)),
        errors.InvitationNotFound(str(AN_ID)),
        errors.ApiKeyNotFound(str(AN_ID)),
        errors.BatchNotFound(str(AN_ID)),
        errors.ImportNotFound(str(AN_ID)),
        errors.OwnershipTransferNotFound(),
        errors.CannotGrantRole("Owner", ("organization:write",)),
        errors.CannotManageMember(str(AN_ID), ("organization:write",)),
        errors.BuiltInRole("Owner"),
        errors.RoleInUse("Helpers", 3),
        errors.LastOwner(),
        errors.SoleOwner(("Acme", "Globex")),
        errors.PlanUpgradeRequired(),
        errors.SeatLimitReached(5),
        errors.AlreadyMember("ana@guest.example", AN_ID),
        errors.CannotInviteYourself("ana@guest.example", AN_ID),
        errors.InvitationPending("ana@guest.example", AN_ID, A_TIME),
        errors.InvitationClosed(AN_ID, "revoked"),
        errors.DuplicateRow("ana@guest.example", 2),
        errors.TooManyRows(10_001, 10_000),
        errors.EmptyImport(),
        errors.UnreadableImport(),
        errors.IdempotencyKeyReused("one"),
        errors.RequestInProgress("one"),
        errors.RateLimited(17),
        errors.ServiceBusy(17),
        errors.DeliveryFailed("timed out"),
        errors.InvalidLink(),
        errors.WrongAccount("ana@guest.example", "bo@guest.example"),
        errors.SignInRequired("ana@guest.example"),
        errors.EmailVerificationRequired("ana@guest.example"),
        errors.InviterNotAllowed("Olivia Owner", "Admin"),
        errors.RoleDeleted("Helpers"),
        errors.InvalidCredentials(),
        errors.AccountExists("ana@guest.example"),
        errors.AlreadySetUp(),
    )
}

# Base classes that may have a row for all errors below them.
SHARED: frozenset[type[DomainError]] = frozenset({errors.InvalidValue, errors.CannotAccept})


def all_errors() -> list[type[DomainError]]:
    """Return all error classes that can be raised."""
    return sorted(_below(DomainError) - SHARED, key=lambda error: error.__name__)


def _below(kind: type[DomainError]) -> set[type[DomainError]]:
    return {kind for below in kind.__subclasses__() for kind in (below, *_below(below))}
