"""Create, change and delete roles."""

import re
from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, or_, select, update
from uuid_utils.compat import uuid7

from invite_app.access import Actor, Principal, organization_transaction
from invite_app.db import ignore, session
from invite_app.errors import BuiltInRole, InvalidSetting, NameTaken, RoleInUse, RoleNotFound
from invite_app.models import ApiKey, Membership, Organization, Role
from invite_app.models.roles import BUILT_IN, PERMISSIONS
from invite_app.models.types import casefolded
from invite_app.services import api_key_revocation, audit, inviter_rights, validation

from . import queries


def add_built_in(organization: Organization) -> dict[str, Role]:
    """The three roles every organization starts with, by key; part of the caller's transaction."""
    roles = {
        key: Role(
            organization_id=organization.id,
            key=key,
            name=key.capitalize(),
            folded_name=key,
            permissions=list(permissions),
            is_built_in=True,
        )
        for key, permissions in BUILT_IN.items()
    }
    session().add_all(roles.values())
    session().flush()
    return roles


def create(
    organization_id: UUID | str,
    *,
    name: str,
    permissions: Collection[str],
    by: Actor,
    key: str | None = None,
    then: Callable[[Role], None] = ignore,
) -> Role:
    """A custom role; `then` is called inside the transaction.

    Raises InvalidName, InvalidSetting, CannotGrantRole and NameTaken.
    """
    with organization_transaction(organization_id, by=by, needs="roles:write") as principal:
        cleaned = validation.name(name, "name", "a name")
        role = Role(
            id=uuid7(),
            organization_id=principal.organization.id,
            name=cleaned,
            folded_name=casefolded(cleaned),
            key=_key(key or cleaned),
            permissions=_validate_permissions(permissions),
        )
        principal.check_can_grant(role)
        _check_names_are_free(role)
        session().add(role)
        session().flush()
        _record(principal, "role.created", role, after=_summary(role))
        then(role)
    return role


def update_role(
    organization_id: UUID | str,
    role: str,
    *,
    by: Actor,
    name: str | None = None,
    permissions: Collection[str] | None = None,
) -> Role:
    """Change a custom role for everybody who has it, from their next request on.

    Raises RoleNotFound, BuiltInRole, InvalidName, InvalidSetting, CannotGrantRole (for what it holds before or
    after), CannotManageMember (for new permissions, if one of its keys acts for somebody above the actor) and
    NameTaken.
    """
    with organization_transaction(organization_id, by=by, needs="roles:write") as principal:
        found = _get_custom(principal, role)
        before = _summary(found)
        if name is not None:
            found.name = validation.name(name, "name", "a name")
            found.folded_name = casefolded(found.name)
        if permissions is not None:
            api_key_revocation.check_may_end(principal, found)
            found.permissions = _validate_permissions(permissions)
        principal.check_can_grant(found)
        with session().no_autoflush:
            _check_names_are_free(found)
        inviter_rights.refresh(principal.organization)
        _record(principal, "role.changed", found, before=before, after=_summary(found))
    return found


def delete(organization_id: UUID | str, role: str, *, by: Actor, replacement: str | None = None) -> None:
    """Remove a custom role; its members get the replacement, keys with it end, invitations with it are stuck.

    Raises RoleNotFound, BuiltInRole, CannotGrantRole (for either role), CannotManageMember if one of its keys acts
    for somebody above the actor, and RoleInUse when members have it and no replacement is named.
    """
    with organization_transaction(organization_id, by=by, needs="roles:write") as principal:
        found = _get_custom(principal, role)
        api_key_revocation.check_may_end(principal, found)
        with_it = Membership.role_id == found.id
        members = session().scalar(select(func.count()).select_from(Membership).where(with_it)) or 0
        if members:
            _reassign_members(principal, found, replacement, members)
        api_key_revocation.end_all_with_role(principal, found)
        session().flush()
        session().execute(delete_rows(ApiKey).where(ApiKey.role_id == found.id))
        _record(principal, "role.deleted", found, before=_summary(found), after={"replacement": replacement})
        session().delete(found)
        inviter_rights.refresh(principal.organization)


def _reassign_members(principal: Principal, role: Role, replacement: str | None, members: int) -> None:
    if replacement is None:
        raise RoleInUse(role.name, members)
    new_owner = queries.get(principal.organization.id, replacement)
    if new_owner.id == role.id:
        raise RoleNotFound(replacement)
    principal.check_can_grant(new_owner)
    session().execute(update(Membership).where(Membership.role_id == role.id).values(role_id=new_owner.id))


def _get_custom(principal: Principal, name: str) -> Role:
    role = queries.get(principal.organization.id, name)
    if role.is_built_in:
        raise BuiltInRole(role.name)
    principal.check_can_grant(role)
    return role


def _validate_permissions(permissions: Collection[str]) -> list[str]:
    unknown = [name for name in permissions if name not in PERMISSIONS]
    if unknown:
        raise InvalidSetting("permissions", f"There is no permission “{unknown[0]}”.")
    return [name for name in PERMISSIONS if name in permissions]


def _key(text: str) -> str:
    key = re.sub(r"[^a-z0-9]+", "_", casefolded(text).removeprefix("org:")).strip("_")[:100]
    if not key:
        raise InvalidSetting("key", "Use a key of letters, digits and underscores.")
    return key


def _check_names_are_free(role: Role) -> None:
    """Keys and names share one namespace, or a name could be taken for somebody else's key."""
    wanted = {role.key, *queries.lookup_keys(role.name)}
    wanted |= {f"org:{name}" for name in wanted}
    query = select(Role.id).where(
        Role.organization_id == role.organization_id,
        or_(Role.key.in_(wanted), Role.folded_name.in_(wanted)),
        Role.id != role.id,
    )
    if session().scalar(query) is not None:
        raise NameTaken("role", role.name)


def _summary(role: Role) -> dict[str, Any]:
    return {"name": role.name, "permissions": list(role.permissions)}


def _record(principal: Principal, action: str, role: Role, **what: dict[str, Any]) -> None:
    audit.record(principal.organization.id, principal, action, role, **what)
