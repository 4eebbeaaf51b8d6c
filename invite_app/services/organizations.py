"""Organizations: founded by the operator or through `/setup`, changed by their owners."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from invite_app.access import Actor, authorize, locked
from invite_app.db import once_per_reading, session, transaction
from invite_app.errors import AlreadySetUp, InvalidSetting, NameTaken, OrganizationUnknown, PermissionMissing
from invite_app.models import Installation, Membership, Organization, Plan, Role, User
from invite_app.models.membership import sort_name
from invite_app.models.role import OWNER

from . import accounts, audit, delivery, invited_domains, rate_limits, roles, slugs, validation


@dataclass(frozen=True)
class Founding:
    """What a new organization starts with. A seat limit of None means no limit, a slug of None one like the name."""

    name: str
    plan: str = Plan.PAID
    seat_limit: int | None = None
    allowed_origins: Sequence[str] = ()
    slug: str | None = None


class _Keep(Enum):
    KEEP = "keep"


KEEP = _Keep.KEEP
"""Leave a setting as it is, where None has a meaning of its own."""


@dataclass(frozen=True)
class Changes:
    """Which settings get which value. A seat limit of None means no limit, no domains means any."""

    name: str | _Keep = KEEP
    plan: str | _Keep = KEEP
    seat_limit: int | _Keep | None = KEEP
    invitation_lifetime: timedelta | _Keep = KEEP
    allowed_domains: Sequence[str] | _Keep = KEEP
    allowed_origins: Sequence[str] | _Keep = KEEP


@dataclass(frozen=True)
class Founder:
    """The first owner; an existing account at that address is taken as it is."""

    email: str
    given_name: str
    family_name: str = ""
    password: str | None = None


def found(founding: Founding, founder: Founder, *, by: audit.Author) -> tuple[Organization, User]:
    """A new organization with its first owner.

    Raises InvalidName, InvalidEmail, InvalidSetting and WeakPassword.
    """
    password_hash = (
        None if accounts.find_by_email(validation.email(founder.email)) else _password_hash(founding, founder)
    )
    with transaction():
        owner = accounts.find_by_email(validation.email(founder.email)) or _add_owner(founder, password_hash)
        return _found(founding, owner, by), owner


def set_up(founding: Founding, founder: Founder, *, ip: str | None) -> tuple[Organization, User]:
    """The first organization of this server. Raises AlreadySetUp, even when two try at once, and as `found`."""
    if is_set_up():
        raise AlreadySetUp
    password_hash = _password_hash(founding, founder)
    with transaction() as writing:
        if is_set_up():
            raise AlreadySetUp
        writing.add(Installation(id=1))
        try:
            writing.flush()
        except IntegrityError:
            raise AlreadySetUp from None
        owner = _add_owner(founder, password_hash)
        return _found(founding, owner, audit.Author("person", owner.id, owner.name, ip)), owner


def found_another(
    organization_id: UUID | str, *, name: str, slug: str | None = None, by: Actor
) -> tuple[Organization, Role]:
    """Create an organization with this one's plan and seat limit; the owner is the user of the acting owner's key."""
    with locked(organization_id, by=by, needs="organization:write") as standing:
        if standing.user is None or standing.api_key is None or not standing.is_owner:
            raise PermissionMissing("organization:write")
        founding = Founding(name, standing.organization.plan, standing.organization.seat_limit, slug=slug)
        organization = _found(founding, standing.user, audit.author(standing))
        rate_limits.hit("organizations by founder", standing.user.id)  # raising takes it back
        return organization, roles.get(organization.id, OWNER)


def is_set_up() -> bool:
    """Whether there is an account, so that `/setup` has nothing left to do."""
    return accounts.exist()


def list_of(user_id: UUID) -> list[Organization]:
    """The organizations this person is a member of, by name."""
    query = (
        select(Organization)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.user_id == user_id)
        .order_by(Organization.name, Organization.id)
    )
    return once_per_reading(("organizations", user_id), lambda: list(session().scalars(query)))


def list_all() -> list[Organization]:
    """Every organization on this server; for the operator only."""
    return list(session().scalars(select(Organization).order_by(Organization.created_at, Organization.id)))


def id_of(text: str) -> UUID:
    """The id that is meant by an id (which nobody may have) or a slug. Raises OrganizationUnknown."""
    with suppress(ValueError):
        return UUID(text)
    if validation.has_control_characters(text):
        raise OrganizationUnknown
    organization_id: UUID | None = session().scalar(select(Organization.id).where(Organization.slug == text))
    if organization_id is None:
        raise OrganizationUnknown
    return organization_id


def get(organization_id: UUID | str, *, by: Actor) -> Organization:
    """Raises OrganizationUnknown."""
    return authorize(by, organization_id).organization


def change(organization_id: UUID | str, changes: Changes, *, by: Actor) -> Organization:
    """Change settings. A lower plan or seat limit ends nothing; it only stops new invitations.

    Pending invitations to addresses at domains that are no longer allowed stay, and cannot be accepted.
    Raises InvalidName, InvalidSetting and InvalidLifetime; then nothing is changed.
    """
    with locked(organization_id, by=by, needs="organization:write") as standing:
        organization = standing.organization
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
                standing,
                "organization.changed",
                organization,
                before={name: _plain(before[name]) for name in changed},
                after={name: _plain(value) for name, value in changed.items()},
            )
    return organization


def delete(organization_id: UUID | str, *, by: Actor) -> None:
    """Delete all that belongs to the organization but its audit log, which the operator can read for a year."""
    with locked(organization_id, by=by, needs="organization:write") as standing:
        before = {"slug": standing.organization.slug}
        audit.record(None, standing, "organization.deleted", standing.organization, before=before)
        delivery.lock_all(standing.organization.id)
        session().delete(standing.organization)


def checked_seat_limit(limit: int | None) -> int | None:
    """Raises InvalidSetting. Whether so many seats are in use already does not matter: nobody is removed."""
    if limit is not None and not 1 <= limit <= 10_000_000:
        raise InvalidSetting("seat_limit", "Enter a number from 1 to 10,000,000, or nothing for no limit.")
    return limit


def _checked(changes: Changes) -> dict[str, Any]:
    given = {name: value for name, value in vars(changes).items() if value is not KEEP}
    return {name: _CHECKS[name](value) for name, value in given.items()}


def _plain(value: Any) -> Any:
    return value.total_seconds() if isinstance(value, timedelta) else value


def _password_hash(founding: Founding, founder: Founder) -> str | None:
    about = (founder.email, founder.given_name, founder.family_name, founding.name)
    return None if founder.password is None else accounts.hash_new_password(founder.password, about=about)


def _add_owner(founder: Founder, password_hash: str | None) -> User:
    return accounts.add(
        validation.email(founder.email),
        given_name=founder.given_name,
        family_name=founder.family_name,
        password_hash=password_hash,
        is_proven=True,
    )


def _found(founding: Founding, owner: User, by: audit.Author) -> Organization:
    name = validation.name(founding.name, "name", "a name")
    organization = Organization(
        name=name,
        slug=slugs.like(name) if founding.slug is None else slugs.checked(founding.slug),
        plan=_plan(founding.plan),
        seat_limit=checked_seat_limit(founding.seat_limit),
        allowed_origins=[validation.allowed_origin(origin) for origin in founding.allowed_origins],
        members_count=1,
        created_by_id=owner.id,
    )
    session().add(organization)
    try:
        session().flush()
    except IntegrityError:
        raise NameTaken("slug", organization.slug) from None
    role = roles.add_built_in(organization)[OWNER]
    session().add(
        Membership(organization_id=organization.id, user_id=owner.id, role_id=role.id, sort_name=sort_name(owner))
    )
    audit.record(organization.id, by, "organization.created", organization, after={"owner": owner.email})
    return organization


def _plan(plan: str) -> str:
    if plan not in list(Plan):
        raise InvalidSetting("plan", "Choose paid or free.")
    return plan


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": lambda name: validation.name(name, "name", "a name"),
    "plan": _plan,
    "seat_limit": checked_seat_limit,
    "invitation_lifetime": validation.lifetime,
    "allowed_domains": lambda domains: list(dict.fromkeys(map(validation.allowed_domain, domains))),
    "allowed_origins": lambda origins: list(dict.fromkeys(map(validation.allowed_origin, origins))),
}
