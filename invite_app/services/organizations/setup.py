"""Create organizations: by the operator, through `/setup`, or by the key of an owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from invite_app.access import Actor, organization_transaction
from invite_app.db import session, transaction
from invite_app.errors import AlreadySetUp, NameTaken, PermissionDenied
from invite_app.models import Membership, Organization, Plan, Role, SetupMarker, User
from invite_app.models.members import sort_name
from invite_app.models.roles import OWNER
from invite_app.services import accounts, audit, rate_limits, roles, validation

from . import actions, queries, slugs


@dataclass(frozen=True)
class NewOrganization:
    """The initial values of an organization. No seat limit means unlimited; no slug means one from the name."""

    name: str
    plan: str = Plan.PAID
    seat_limit: int | None = None
    allowed_origins: Sequence[str] = ()
    slug: str | None = None


@dataclass(frozen=True)
class NewOwner:
    """The first owner; an existing account at that address is taken as it is."""

    email: str
    given_name: str
    family_name: str = ""
    password: str | None = None


def create(founding: NewOrganization, founder: NewOwner, *, by: audit.AuditActor) -> tuple[Organization, User]:
    """A new organization with its first owner.

    Raises InvalidName, InvalidEmail, InvalidSetting and WeakPassword.
    """
    password_hash = (
        None if accounts.find_by_email(validation.email(founder.email)) else _password_hash(founding, founder)
    )
    with transaction():
        owner = accounts.find_by_email(validation.email(founder.email)) or _add_owner(founder, password_hash)
        return _found(founding, owner, by), owner


def set_up(founding: NewOrganization, founder: NewOwner, *, ip: str | None) -> tuple[Organization, User]:
    """The first organization of this server. Raises AlreadySetUp, even when two try at once, and as `found`."""
    if queries.is_set_up():
        raise AlreadySetUp
    password_hash = _password_hash(founding, founder)
    with transaction() as writing:
        if queries.is_set_up():
            raise AlreadySetUp
        writing.add(SetupMarker(id=1))
        try:
            writing.flush()
        except IntegrityError:
            raise AlreadySetUp from None
        owner = _add_owner(founder, password_hash)
        return _found(founding, owner, audit.AuditActor("person", owner.id, owner.name, ip)), owner


def create_for_key_owner(
    organization_id: UUID | str, *, name: str, slug: str | None = None, by: Actor
) -> tuple[Organization, Role]:
    """Create an organization with this one's plan and seat limit; the owner is the user of the acting owner's key."""
    with organization_transaction(organization_id, by=by, needs="organization:write") as principal:
        if principal.user is None or principal.api_key is None or not principal.is_owner:
            raise PermissionDenied("organization:write")
        founding = NewOrganization(name, principal.organization.plan, principal.organization.seat_limit, slug=slug)
        organization = _found(founding, principal.user, audit.audit_actor(principal))
        rate_limits.count("organizations by founder", principal.user.id)  # raising takes it back
        return organization, roles.get(organization.id, OWNER)


def _password_hash(founding: NewOrganization, founder: NewOwner) -> str | None:
    about = (founder.email, founder.given_name, founder.family_name, founding.name)
    return None if founder.password is None else accounts.hash_new_password(founder.password, about=about)


def _add_owner(founder: NewOwner, password_hash: str | None) -> User:
    return accounts.add(
        validation.email(founder.email),
        given_name=founder.given_name,
        family_name=founder.family_name,
        password_hash=password_hash,
        is_verified=True,
    )


def _found(founding: NewOrganization, owner: User, by: audit.AuditActor) -> Organization:
    name = validation.name(founding.name, "name", "a name")
    organization = Organization(
        name=name,
        slug=slugs.generate_slug(name) if founding.slug is None else slugs.validate_slug(founding.slug),
        plan=actions.checked_plan(founding.plan),
        seat_limit=actions.validate_seat_limit(founding.seat_limit),
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
