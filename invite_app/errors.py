"""The facts that can stand in the way.

An error states a fact and carries its data. It knows no HTTP status: each interface has a table of its own.
`str(error)` is one plain sentence that any interface may show.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


class ConfigurationError(Exception):
    """The server cannot start as it is configured; the message names each variable and what is allowed."""


class DomainError(Exception):
    """Base of all facts; interfaces look an error up along its class hierarchy."""

    sentence = "This is not possible."

    def __str__(self) -> str:
        return self.sentence.format(**vars(self))


# --- who is asking --------------------


@dataclass(eq=False)
class Unauthenticated(DomainError):
    """No key or session, or one that does not (or no longer) exist."""

    sentence = "Sign in, or send a valid API key."


@dataclass(eq=False)
class OrganizationNotFound(DomainError):
    """There is no such organization, or the actor has no part in it: both look alike."""

    sentence = "There is no such organization."


@dataclass(eq=False)
class PermissionDenied(DomainError):
    permission: str
    sentence = "Your role does not allow this."


# --- values --------------------


@dataclass(eq=False)
class InvalidValue(DomainError):
    """A value that cannot be used; `field` is the parameter's name in the service."""

    field: str
    reason: str
    sentence = "{reason}"


@dataclass(eq=False)
class InvalidEmail(DomainError):
    email: str
    reason: str = "Enter an email address, like name@example.com."
    sentence = "{reason}"


@dataclass(eq=False)
class DomainNotAllowed(DomainError):
    email: str
    domains: tuple[str, ...]

    def __str__(self) -> str:
        return f"Only addresses at {' or '.join(self.domains)} can be invited."


class InvalidName(InvalidValue):
    """A name of a person, organization, role, workspace or key."""


class InvalidNote(InvalidValue):
    """A personal note that is too long or holds control characters."""


class InvalidLifetime(InvalidValue):
    """A lifetime outside 1 hour to 365 days."""


class InvalidMetadata(InvalidValue):
    """Metadata that is too large or cannot be stored."""


class WeakPassword(InvalidValue):
    """A password that is too short, too long or too easy to guess."""


class InvalidSetting(InvalidValue):
    """A setting of an organization that cannot be used."""


@dataclass(eq=False)
class NameTaken(DomainError):
    kind: str
    name: str
    sentence = "There is already a {kind} called “{name}”."


@dataclass(eq=False)
class RedirectNotAllowed(DomainError):
    url: str
    sentence = "This address is not among the organization's allowed redirect origins: {url}"


# --- things that are not there --------------------


@dataclass(eq=False)
class RoleNotFound(DomainError):
    role: str
    sentence = "There is no role “{role}” in this organization."


@dataclass(eq=False)
class WorkspaceNotFound(DomainError):
    workspace: str
    index: int = 0
    sentence = "There is no such workspace in this organization."


@dataclass(eq=False)
class UserNotFound(DomainError):
    user: str
    sentence = "There is no such person."


@dataclass(eq=False)
class MembershipNotFound(DomainError):
    user: str
    sentence = "This person is not a member of the organization."


@dataclass(eq=False)
class InvitationNotFound(DomainError):
    invitation: str
    sentence = "There is no such invitation."


@dataclass(eq=False)
class ApiKeyNotFound(DomainError):
    api_key: str
    sentence = "There is no such API key."


@dataclass(eq=False)
class ImportNotFound(DomainError):
    sheet: str
    sentence = "There is no such list."


@dataclass(eq=False)
class BatchNotFound(DomainError):
    batch: str
    sentence = "There is no such list of invitations."


# --- rights --------------------


@dataclass(eq=False)
class CannotGrantRole(DomainError):
    """The role holds permissions the actor lacks (`missing`), so the actor may not hand it out."""

    role: str
    missing: tuple[str, ...]
    sentence = "You cannot grant {role}: your own role does not have all of its permissions."


@dataclass(eq=False)
class CannotManageMember(DomainError):
    """The person holds permissions the actor lacks (`missing`), so the actor may not change or remove them."""

    user: str
    missing: tuple[str, ...]
    sentence = "You cannot change somebody whose role has permissions that yours does not have."


@dataclass(eq=False)
class BuiltInRole(DomainError):
    """The built-in roles cannot be changed or deleted."""

    role: str
    sentence = "{role} is built in. Duplicate it to make your own."


@dataclass(eq=False)
class RoleInUse(DomainError):
    """Members have this role, and no other was named for them."""

    role: str
    members: int
    sentence = "Choose a role for the {members} members who have {role} first."


@dataclass(eq=False)
class LastOwner(DomainError):
    sentence = "The last owner cannot leave, be removed or get another role. Hand over ownership first."


@dataclass(eq=False)
class SoleOwner(DomainError):
    """The person is the only owner of these organizations, so the account cannot be erased."""

    organizations: tuple[str, ...]

    def __str__(self) -> str:
        names = " and ".join(self.organizations)
        return f"{names} would have no owner. Transfer ownership or delete the organization first."


# --- the state of things --------------------


@dataclass(eq=False)
class PlanUpgradeRequired(DomainError):
    sentence = (
        "Inviting users is not available on the free plan. To invite team members, please upgrade to a paid plan."
    )


@dataclass(eq=False)
class SeatLimitReached(DomainError):
    limit: int
    sentence = "All {limit} seats are in use. Revoke an invitation or raise the limit."


@dataclass(eq=False)
class AlreadyMember(DomainError):
    """`role` is the member's role, where it is known."""

    email: str
    user_id: UUID
    role: str = ""
    sentence = "{email} is already a member."


class CannotInviteYourself(AlreadyMember):
    """The address is that of the person who invites."""

    sentence = "You cannot invite yourself."


@dataclass(eq=False)
class InvitationPending(DomainError):
    email: str
    invitation_id: UUID
    invited_at: datetime
    sentence = "{email} is already invited."


@dataclass(eq=False)
class InvitationClosed(DomainError):
    """The invitation is not pending any more; `state` says how it ended."""

    invitation_id: UUID
    state: str
    sentence = "This invitation has ended: it is {state}."


@dataclass(eq=False)
class DuplicateRow(DomainError):
    """A row of a list repeats the address of an earlier row (counted from 1)."""

    email: str
    first_row: int
    sentence = "Same address as row {first_row}."


@dataclass(eq=False)
class EmptyImport(DomainError):
    sentence = "There is nobody on this list."


@dataclass(eq=False)
class UnreadableImport(DomainError):
    sentence = "This file is not text. Save the sheet as CSV."


@dataclass(eq=False)
class TooManyRows(DomainError):
    rows: int
    limit: int
    sentence = "{rows:,} rows; {limit:,} fit."


@dataclass(eq=False)
class IdempotencyKeyReused(DomainError):
    """The same key came before, with another body."""

    key: str
    sentence = "This Idempotency-Key was used for another request. Use a new one."


@dataclass(eq=False)
class RequestInProgress(DomainError):
    """The first request with this key has no answer yet."""

    key: str
    sentence = "The first request with this Idempotency-Key is still running. Try again in a moment."


@dataclass(eq=False)
class RateLimited(DomainError):
    """Too many of `what`; the same may be tried again after `retry_after` seconds."""

    retry_after: int
    what: str = "tries"
    sentence = "Too many {what} for now. Try again in {retry_after} seconds."


@dataclass(eq=False)
class ServiceBusy(DomainError):
    """Too much is under way for now; the same may be tried again after `retry_after` seconds."""

    retry_after: int
    sentence = "The server is busy. Try again in {retry_after} seconds."


@dataclass(eq=False)
class DeliveryFailed(DomainError):
    """The mail server did not take the message, so no invitation was kept."""

    reason: str
    sentence = "The mail server cannot be reached, so nothing was sent and nothing was kept. Try again in a minute."


# --- the invitee's side --------------------


@dataclass(eq=False)
class InvalidLink(DomainError):
    """The link is not one of ours, not complete, or was replaced by a newer one."""

    sentence = "This link is not complete. Copy all of it from the email."


@dataclass(eq=False)
class WrongAccount(DomainError):
    invited: str
    signed_in: str
    sentence = "This invitation is for another address."


@dataclass(eq=False)
class SignInRequired(DomainError):
    """The invited address has an account, whose owner has to sign in to accept."""

    email: str
    sentence = "There is an account for {email}. Sign in to accept."


@dataclass(eq=False)
class EmailVerificationRequired(DomainError):
    """An account whose address is not proven accepts only through a mailed link, never through a copied one."""

    email: str
    sentence = "Open the link in the email that was sent to {email}."


class CannotAccept(DomainError):
    """The invitation is pending, but cannot be accepted as things stand; an admin can mend it."""

    sentence = "This invitation cannot be accepted right now. The admins have been told."


@dataclass(eq=False)
class InviterNotAllowed(CannotAccept):
    inviter: str
    role: str


@dataclass(eq=False)
class RoleDeleted(CannotAccept):
    role: str


# --- accounts --------------------


@dataclass(eq=False)
class InvalidCredentials(DomainError):
    sentence = "Email or password is wrong."


@dataclass(eq=False)
class AccountExists(DomainError):
    email: str
    sentence = "There is already an account for {email}."


@dataclass(eq=False)
class OwnershipTransferNotFound(DomainError):
    """Nobody offers this person the ownership (any more)."""

    sentence = "There is no offer to hand over ownership."


@dataclass(eq=False)
class AlreadySetUp(DomainError):
    sentence = "Already set up. Sign in."
