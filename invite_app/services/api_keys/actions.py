"""Create, list and revoke API keys."""

import secrets
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from invite_app import ids
from invite_app.access import Actor, authorize, organization_transaction
from invite_app.db import ignore, session
from invite_app.errors import ApiKeyNotFound, InvalidSetting, MembershipNotFound
from invite_app.models import ApiKey, Membership, Role
from invite_app.models.roles import OWNER
from invite_app.models.types import now
from invite_app.services import audit, inviter_rights, roles, validation

from . import authentication
from .authentication import PREFIX


def create(
    organization_id: UUID | str,
    *,
    name: str,
    role: str,
    by: Actor,
    user_id: UUID | str | None = None,
    expires_at: datetime | None = None,
    then: Callable[[ApiKey], None] = ignore,
) -> tuple[ApiKey, str]:
    """A new key and its secret, which cannot be had again. It acts for `user_id`, or for the first owner.

    `then` is called inside the transaction.

    Raises InvalidName, RoleNotFound, CannotGrantRole, MembershipNotFound, CannotManageMember and InvalidSetting.
    """
    with organization_transaction(organization_id, by=by, needs="api_keys:write") as principal:
        cleaned = validation.name(name, "name", "a name")
        if expires_at is not None and expires_at <= now():
            raise InvalidSetting("expires_at", "Choose an end in the future.")
        granted = roles.get(principal.organization.id, role)
        principal.check_can_grant(granted)
        membership = _membership(principal.organization.id, user_id)
        principal.check_can_manage(membership.user_id, membership.role)
        secret = PREFIX + secrets.token_urlsafe(32)
        api_key = ApiKey(
            organization_id=principal.organization.id,
            user_id=membership.user_id,
            role_id=granted.id,
            name=cleaned,
            prefix=secret[:9],
            secret_hash=authentication.hash_secret(secret),
            expires_at=expires_at,
        )
        session().add(api_key)
        session().flush()
        audit.record(principal.organization.id, principal, "api_key.created", api_key, after={"role": granted.name})
        then(api_key)
    return api_key, secret


def list_all(organization_id: UUID | str, *, by: Actor) -> list[ApiKey]:
    """Keys with their user and role, newest first; revoked ones are left out."""
    principal = authorize(by, organization_id, "api_keys:write")
    query = (
        select(ApiKey)
        .options(joinedload(ApiKey.user), joinedload(ApiKey.role))
        .where(ApiKey.organization_id == principal.organization.id, ApiKey.revoked_at.is_(None))
        .order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
    )
    return list(session().scalars(query))


def revoke(organization_id: UUID | str, api_key_id: UUID | str, *, by: Actor) -> None:
    """The key never acts again. Raises ApiKeyNotFound and CannotManageMember."""
    with organization_transaction(organization_id, by=by, needs="api_keys:write") as principal:
        api_key = _get(principal.organization.id, api_key_id)
        principal.check_can_manage(api_key.user_id, _membership(principal.organization.id, api_key.user_id).role)
        api_key.revoked_at = now()
        inviter_rights.refresh(principal.organization, api_key.user_id)
        audit.record(principal.organization.id, principal, "api_key.revoked", api_key)


def _membership(organization_id: UUID, user_id: UUID | str | None) -> Membership:
    query = (
        select(Membership)
        .join(Role, Role.id == Membership.role_id)
        .options(joinedload(Membership.role))
        .where(Membership.organization_id == organization_id)
        .order_by(Membership.created_at, Membership.id)
        .limit(1)
    )
    if user_id is not None:
        query = query.where(Membership.user_id == ids.parse_id(user_id, MembershipNotFound(str(user_id))))
    else:
        query = query.where(Role.is_built_in, Role.key == OWNER)
    if (membership := session().scalar(query)) is None:
        raise MembershipNotFound(str(user_id))
    return membership


def _get(organization_id: UUID, api_key_id: UUID | str) -> ApiKey:
    query = select(ApiKey).where(
        ApiKey.id == ids.parse_id(api_key_id, ApiKeyNotFound(str(api_key_id))),
        ApiKey.organization_id == organization_id,
        ApiKey.revoked_at.is_(None),
    )
    if (api_key := session().scalar(query)) is None:
        raise ApiKeyNotFound(str(api_key_id))
    return api_key
