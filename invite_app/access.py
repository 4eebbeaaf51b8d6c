"""Actors and their rights, read for every request and again inside each writing transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select

from . import ids
from .bounds import bounds
from .db import cached_in_request, is_postgresql, transaction
from .db.reading import Question, Reader, ask, attach
from .errors import CannotGrantRole, CannotManageMember, OrganizationNotFound, PermissionDenied, Unauthenticated
from .models import ApiKey, Membership, Organization, Role, User
from .models.roles import OWNER, PERMISSIONS
from .models.types import now


@dataclass(frozen=True)
class UserActor:
    """Somebody who is signed in."""

    user_id: UUID
    ip: str | None = None


@dataclass(frozen=True)
class ApiKeyActor:
    """A program that acts with an API key."""

    api_key_id: UUID
    organization_id: UUID
    ip: str | None = None


@dataclass(frozen=True)
class OperatorActor:
    """The operator: anybody who can run commands on the server."""

    ip: None = None


Actor = UserActor | ApiKeyActor | OperatorActor


class ApiKeyInfo(NamedTuple):
    """The columns of the acting key that access needs."""

    id: UUID
    name: str
    revoked_at: datetime | None
    expires_at: datetime | None


# The statements of every request are built once: building one anew costs five times what running it does.
_LOCKED = Reader(
    select(Organization).where(Organization.id == bindparam("organization_id")).with_for_update(key_share=True)
)
_OPERATOR_PRINCIPAL = Reader(select(Organization).where(Organization.id == bindparam("organization_id")))
_USER_PRINCIPAL = Reader(
    select(Organization, User, Role.permissions, Role.is_built_in, Role.key)
    .join(Membership, Membership.organization_id == Organization.id)
    .join(User, User.id == Membership.user_id)
    .join(Role, Role.id == Membership.role_id)
    .where(Organization.id == bindparam("organization_id"), Membership.user_id == bindparam("user_id"))
)
_keys_role: Any = Role.__table__.alias("keys_role")
_API_KEY_PRINCIPAL = Reader(
    select(
        Organization,
        User,
        Role.permissions,
        Role.is_built_in,
        Role.key,
        _keys_role.c.permissions,
        _keys_role.c.is_built_in,
        _keys_role.c.key,
        ApiKey.id,
        ApiKey.name,
        ApiKey.revoked_at,
        ApiKey.expires_at,
    )
    .join(ApiKey, ApiKey.organization_id == Organization.id)
    .join(User, User.id == ApiKey.user_id)
    .join(_keys_role, _keys_role.c.id == ApiKey.role_id)
    .join(
        Membership,
        (Membership.user_id == ApiKey.user_id) & (Membership.organization_id == ApiKey.organization_id),
    )
    .join(Role, Role.id == Membership.role_id)
    .where(ApiKey.id == bindparam("api_key_id"))
)


@dataclass(frozen=True)
class Principal:
    """An actor with its permissions in one organization, as read in this transaction."""

    actor: Actor
    organization: Organization
    permissions: frozenset[str]
    user: User | None = None
    api_key: ApiKeyInfo | None = None
    is_owner: bool = False

    @property
    def name(self) -> str:
        return self.user.name if self.user else "The operator"

    def can(self, permission: str) -> bool:
        return permission in self.permissions

    def can_grant(self, role: Role) -> bool:
        """By permission set; and only owners make owners, or else whoever holds as much could rise above them."""
        return self.permissions.issuperset(role.permissions) and (self.is_owner or not role.is_owner)

    def can_see_link(self, role: Role | None) -> bool:
        """Return whether the actor may see, and so hand on, the link of an invitation with this role."""
        return self.can("invitations:write") and role is not None and self.can_grant(role)

    def check_is_user(self, permission: str) -> User:
        """The person who acts. Raises PermissionDenied for a key or the operator, who must not decide for them."""
        if self.user is None or self.api_key is not None:
            raise PermissionDenied(permission)
        return self.user

    def check_can(self, permission: str) -> None:
        """Raises PermissionDenied."""
        if not self.can(permission):
            raise PermissionDenied(permission)

    def check_can_grant(self, role: Role) -> None:
        """Raises CannotGrantRole when the role holds a permission that the actor does not."""
        if not self.can_grant(role):
            raise CannotGrantRole(role.name, self._lacks(role))

    def check_can_manage(self, user_id: UUID, role: Role) -> None:
        """Raises CannotManageMember when that person, who has `role`, stands above the actor."""
        if self._lacks(role) or (role.is_owner and not self.is_owner):
            raise CannotManageMember(str(user_id), self._lacks(role))

    def _lacks(self, role: Role) -> tuple[str, ...]:
        return tuple(name for name in PERMISSIONS if name in role.permissions and name not in self.permissions)


def authorize(
    actor: Actor, organization_id: UUID | str, permission: str | None = None, prefetch: Sequence[Question] = ()
) -> Principal:
    """The actor's standing in the organization, read now, or earlier in the same reading transaction.

    What is asked `along` is answered in the same round trip, and for nobody where this raises: OrganizationNotFound
    (no such organization, or the actor has no part in it), Unauthenticated (the key ended meanwhile) and
    PermissionDenied.
    """
    place = ids.parse_id(organization_id, OrganizationNotFound())
    principal = cached_in_request(("standing", actor, place), lambda: _read_principal(actor, place, prefetch))
    if late := [question for question in prefetch if question.rows is None]:
        ask(*late)
    if permission:
        principal.check_can(permission)
    return principal


@contextmanager
def organization_transaction(
    organization_id: UUID | str, *, by: Actor, needs: str | None = None, prefetch: Sequence[Question] = ()
) -> Iterator[Principal]:
    """A writing transaction on one organization, whose row stays locked until the commit.

    What is asked `along` is answered under the lock, too. Raises ServiceBusy, and what `authorize` raises.
    """
    organization_id = ids.parse_id(organization_id, OrganizationNotFound())
    with bounds().organizations.required_place(organization_id) as place, transaction():
        principal = _read_in_lock(by, organization_id, prefetch)
        place.leave()
        if needs:
            principal.check_can(needs)
        yield replace(principal, organization=attach(principal.organization))


def _read_in_lock(actor: Actor, organization_id: UUID, prefetch: Sequence[Question]) -> Principal:
    """The standing as it is once the organization is locked: each question is answered after the one before."""
    question = _question(actor, organization_id)
    lock = [_LOCKED.question(organization_id=organization_id)] if is_postgresql() else []
    ask(*lock, question, *prefetch)
    if lock and not lock[0].rows:
        raise OrganizationNotFound
    return _principal(actor, organization_id, question)


def lock_organization(organization_id: UUID) -> Organization:
    """The organization, locked. `NO KEY UPDATE` lets rows that refer to it be inserted meanwhile."""
    if (row := _LOCKED.first(organization_id=organization_id)) is None:
        raise OrganizationNotFound
    organization: Organization = row[0]
    return attach(organization)


def _read_principal(actor: Actor, organization_id: UUID, prefetch: Sequence[Question]) -> Principal:
    question = _question(actor, organization_id)
    ask(question, *prefetch)
    return _principal(actor, organization_id, question)


def _question(actor: Actor, organization_id: UUID) -> Question:
    """Build the query for the actor's principal."""
    match actor:
        case UserActor(user_id):
            return _USER_PRINCIPAL.question(organization_id=organization_id, user_id=user_id)
        case ApiKeyActor(api_key_id):
            return _API_KEY_PRINCIPAL.question(api_key_id=api_key_id)
        case OperatorActor():
            return _OPERATOR_PRINCIPAL.question(organization_id=organization_id)


def _principal(actor: Actor, organization_id: UUID, answered: Question) -> Principal:
    """Build the principal from the query's rows. Raises OrganizationNotFound and Unauthenticated."""
    if isinstance(actor, ApiKeyActor):
        return _principal_of_key(actor, organization_id, answered)
    if not answered.rows:
        raise OrganizationNotFound
    organization, *found = answered.rows[0]
    if isinstance(actor, OperatorActor):
        return Principal(actor, organization, frozenset(PERMISSIONS), is_owner=True)
    user, *role = found
    return Principal(actor, organization, frozenset(role[0]), user, is_owner=_is_owner(*role))


def _principal_of_key(actor: ApiKeyActor, organization_id: UUID, answered: Question) -> Principal:
    if not answered.rows or not is_live(api_key := ApiKeyInfo(*answered.rows[0][8:])):
        raise Unauthenticated
    organization, user, *roles = answered.rows[0][:8]
    if organization.id != organization_id:
        raise OrganizationNotFound
    role, keys_role = roles[:3], roles[3:]
    permissions = frozenset(role[0]) & frozenset(keys_role[0])
    is_owner = _is_owner(*role) and _is_owner(*keys_role)
    return Principal(actor, organization, permissions, user, api_key, is_owner=is_owner)


def _is_owner(_permissions: list[str], is_built_in: bool, key: str) -> bool:
    return is_built_in and key == OWNER


def is_live(api_key: ApiKey | ApiKeyInfo) -> bool:
    """Return whether the key is neither revoked nor expired."""
    return api_key.revoked_at is None and (api_key.expires_at is None or api_key.expires_at > now())
