"""Change an organization's settings, or delete it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from invite_app.access import Actor, organization_transaction
from invite_app.db import session
from invite_app.errors import InvalidSetting
from invite_app.models import Organization, Plan
from invite_app.services import audit, delivery, invited_domains, validation


class _Keep(Enum):
    KEEP = "keep"


# Keeps a setting as it is, for settings where None has its own meaning.
UNCHANGED = _Keep.KEEP


@dataclass(frozen=True)
class Changes:
    """New values of settings. A seat limit of None means no limit, no domains means any."""

    name: str | _Keep = UNCHANGED
    plan: str | _Keep = UNCHANGED
    seat_limit: int | _Keep | None = UNCHANGED
    invitation_lifetime: timedelta | _Keep = UNCHANGED
    allowed_domains: Sequence[str] | _Keep = UNCHANGED
    allowed_origins: Sequence[str] | _Keep = UNCHANGED


def change(organization_id: UUID | str, changes: Changes, *, by: Actor) -> Organization:
    """Change settings. A lower plan or seat limit ends nothing; it only stops new invitations.

    Pending invitations to addresses at domains that are no longer allowed stay, and cannot be accepted.
    Raises InvalidName, InvalidSetting and InvalidLifetime; then nothing is changed.
    """
    with organization_transaction(organization_id, by=by, needs="organization:write") as principal:
        organization = principal.organization
        wanted = _checked(changes)
        before = {name: getattr(organization, name) for name in wanted}
        changed = {name: value for name, value in wanted.items() if value != before[name]}
        for name, value in changed.items():
            setattr(organization, name, value)
        if "allowed_domains" in changed:
            invited_domains.review(organization)
        if changed:
            audit.record(
                organization.id,
                principal,
                "organization.changed",
                organization,
                before={name: _plain(before[name]) for name in changed},
                after={name: _plain(value) for name, value in changed.items()},
            )
    return organization


def delete(organization_id: UUID | str, *, by: Actor) -> None:
    """Delete all that belongs to the organization but its audit log, which the operator can read for a year."""
    with organization_transaction(organization_id, by=by, needs="organization:write") as principal:
        before = {"slug": principal.organization.slug}
        audit.record(None, principal, "organization.deleted", principal.organization, before=before)
        delivery.lock_all(principal.organization.id)
        session().delete(principal.organization)


def validate_seat_limit(limit: int | None) -> int | None:
    """Raises InvalidSetting. Whether so many seats are in use already does not matter: nobody is removed."""
    if limit is not None and not 1 <= limit <= 10_000_000:
        raise InvalidSetting("seat_limit", "Enter a number from 1 to 10,000,000, or nothing for no limit.")
    return limit


def _checked(changes: Changes) -> dict[str, Any]:
    given = {name: value for name, value in vars(changes).items() if value is not UNCHANGED}
    return {name: _CHECKS[name](value) for name, value in given.items()}


def _plain(value: Any) -> Any:
    return value.total_seconds() if isinstance(value, timedelta) else value


def checked_plan(plan: str) -> str:
    if plan not in list(Plan):
        raise InvalidSetting("plan", "Choose paid or free.")
    return plan


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": lambda name: validation.name(name, "name", "a name"),
    "plan": checked_plan,
    "seat_limit": validate_seat_limit,
    "invitation_lifetime": validation.lifetime,
    "allowed_domains": lambda domains: list(dict.fromkeys(map(validation.allowed_domain, domains))),
    "allowed_origins": lambda origins: list(dict.fromkeys(map(validation.allowed_origin, origins))),
}
