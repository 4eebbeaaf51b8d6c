"""The API keys of one account, over all its organizations."""

from uuid import UUID

from sqlalchemy import or_, select

from invite_app.access import lock_organization
from invite_app.db import session
from invite_app.models import ApiKey
from invite_app.models.types import now
from invite_app.services import audit, inviter_rights


def list_live_keys(user_id: UUID) -> list[ApiKey]:
    """Return the keys that still act for this account, in the order in which their organizations are locked."""
    is_live = ApiKey.revoked_at.is_(None) & or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now())
    query = select(ApiKey).where(ApiKey.user_id == user_id, is_live)
    return list(session().scalars(query.order_by(ApiKey.organization_id, ApiKey.id)))


def revoke_all_keys(user_id: UUID, by: audit.AuditActor) -> None:
    """Revoke the account's keys, as part of the caller's transaction, which has locked nothing else yet."""
    for organization_id in sorted({one.organization_id for one in list_live_keys(user_id)}):
        organization = lock_organization(organization_id)
        for api_key in list_live_keys(user_id):
            if api_key.organization_id == organization_id:
                api_key.revoked_at = now()
                audit.record(organization_id, by, "api_key.revoked", api_key)
        inviter_rights.refresh(organization, user_id)
