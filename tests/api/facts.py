"""One example of every error, for tests of a dialect's error table."""

from datetime import UTC, datetime
from uuid import UUID

from invite_app import errors as facts
from invite_app.errors import DomainError

AN_ID = UUID("01980000-0000-7000-8000-000000000001")
A_TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

EXAMPLES: dict[type[DomainError], DomainError] = {
    type(example): example
    for example in (
        facts.Unauthenticated(),
        facts.OrganizationNotFound(),
        facts.PermissionDenied("invitations:write"),
        facts.InvalidEmail("ana@"),
        facts.DomainNotAllowed("ana@guest.example", ("acme.example", "acme.test")),
        facts.InvalidName("given_name", "Enter a given name."),
        facts.InvalidNote("note", "Use at most 1,000 characters."),
        facts.InvalidLifetime("lifetime", "Choose between 1 hour and 365 days."),
        facts.InvalidMetadata("public_metadata", "Use less."),
        facts.InvalidSetting("plan", "Choose paid or free."),
        facts.WeakPassword("password", "Use at least 12 characters."),
        facts.NameTaken("role", "Helpers"),
        facts.RedirectNotAllowed("https://elsewhere.example/"),
        facts.RoleNotFound("captain"),
        facts.WorkspaceNotFound(str(AN_ID), 1),
        facts.UserNotFound(str(AN_ID)),
        facts.MembershipNotFound(str(AN_ID)),
        facts.InvitationNotFound(str(AN_ID)),
        facts.ApiKeyNotFound(str(AN_ID)),
        facts.BatchNotFound(str(AN_ID)),
        facts.ImportNotFound(str(AN_ID)),
        facts.OwnershipTransferNotFound(),
        facts.CannotGrantRole("Owner", ("organization:write",)),
        facts.CannotManageMember(str(AN_ID), ("organization:write",)),
        facts.BuiltInRole("Owner"),
        facts.RoleInUse("Helpers", 3),
        facts.LastOwner(),
        facts.SoleOwner(("Acme", "Globex")),
        facts.PlanUpgradeRequired(),
        facts.SeatLimitReached(5),
        facts.AlreadyMember("ana@guest.example", AN_ID),
        facts.CannotInviteYourself("ana@guest.example", AN_ID),
        facts.InvitationPending("ana@guest.example", AN_ID, A_TIME),
        facts.InvitationClosed(AN_ID, "revoked"),
        facts.DuplicateRow("ana@guest.example", 2),
        facts.TooManyRows(10_001, 10_000),
        facts.EmptyImport(),
        facts.UnreadableImport(),
        facts.IdempotencyKeyReused("one"),
        facts.RequestInProgress("one"),
        facts.RateLimited(17),
        facts.ServiceBusy(17),
        facts.DeliveryFailed("timed out"),
        facts.InvalidLink(),
        facts.WrongAccount("ana@guest.example", "bo@guest.example"),
        facts.SignInRequired("ana@guest.example"),
        facts.EmailVerificationRequired("ana@guest.example"),
        facts.InviterNotAllowed("Olivia Owner", "Admin"),
        facts.RoleDeleted("Helpers"),
        facts.InvalidCredentials(),
        facts.AccountExists("ana@guest.example"),
        facts.AlreadySetUp(),
    )
}

# Base classes that may have a row for all errors below them.
SHARED: frozenset[type[DomainError]] = frozenset({facts.InvalidValue, facts.CannotAccept})


def every_fact() -> list[type[DomainError]]:
    """Return all error classes that can be raised."""
    return sorted(_below(DomainError) - SHARED, key=lambda fact: fact.__name__)


def _below(kind: type[DomainError]) -> set[type[DomainError]]:
    return {kind for below in kind.__subclasses__() for kind in (below, *_below(below))}
