"""Revoke API keys as part of another action: the removal of a member, the deletion of a role."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload

from invite_app.access import Principal, is_live
from invite_app.db import session
from invite_app.models import ApiKey, Membership, Role
from invite_app.models.types import now

from . import audit


def check_may_end(principal: Principal, role: Role) -> None:
    """Raise CannotManageMember when a live key with this role acts for somebody above the actor."""
    holders = (
        select(Membership)
        .join(ApiKey, (ApiKey.user_id == Membership.user_id) & (ApiKey.organization_id == Membership.organization_id))
        .options(joinedload(Membership.role))
        .where(ApiKey.role_id == role.id, ApiKey.revoked_at.is_(None))
        .distinct()
    )
    for holder in session().scalars(holders):
        principal.check_can_manage(holder.user_id, holder.role)


def end_all_with_role(principal: Principal, role: Role) -> None:
    _end(principal, _unrevoked(ApiKey.role_id == role.id))


def end_all_of_member(principal: Principal, user_id: UUID) -> None:
    _end(principal, _unrevoked(ApiKey.organization_id == principal.organization.id, ApiKey.user_id == user_id))


def _unrevoked(*conditions: ColumnElement[bool]) -> Iterable[ApiKey]:
    return session().scalars(select(ApiKey).where(*conditions, ApiKey.revoked_at.is_(None)).order_by(ApiKey.id))


def _end(principal: Principal, api_keys: Iterable[ApiKey]) -> None:
    for api_key in list(api_keys):
        if is_live(api_key):
            audit.record(principal.organization.id, principal, "api_key.revoked", api_key)
        api_key.revoked_at = now()
