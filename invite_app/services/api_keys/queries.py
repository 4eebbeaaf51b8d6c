"""Looking at API keys: a page of them, or one."""

from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from invite_app import ids
from invite_app.access import Actor, Principal, authorize
from invite_app.db import session
from invite_app.errors import ApiKeyNotFound
from invite_app.models import ApiKey
from invite_app.services import pagination

NEWEST: pagination.Order[ApiKey] = pagination.Order(
    (ApiKey.created_at, ApiKey.id), lambda row: (row.created_at, row.id), descending=True
)
NEEDS = "api_keys:write"


def list_page(
    organization_id: UUID | str, *, by: Actor, cursor: str | None = None, limit: int = 25
) -> pagination.Page[ApiKey]:
    """Keys with their user and role, newest first; ended ones too, but no revoked ones."""
    query = _complete(authorize(by, organization_id, NEEDS))
    total = session().scalar(query.with_only_columns(func.count())) or 0
    return pagination.fetch(query, NEWEST, total=total, cursor=cursor, limit=limit)


def get(organization_id: UUID | str, api_key_id: UUID | str, *, by: Actor) -> ApiKey:
    """Return a key with its user and role. Raises ApiKeyNotFound, also for revoked keys."""
    unknown = ApiKeyNotFound(str(api_key_id))
    query = _complete(authorize(by, organization_id, NEEDS)).where(ApiKey.id == ids.parse_id(api_key_id, unknown))
    found: ApiKey | None = session().scalar(query)
    if found is None:
        raise unknown
    return found


def _complete(principal: Principal) -> Select[ApiKey]:
    return (
        select(ApiKey)
        .options(joinedload(ApiKey.user, innerjoin=True), joinedload(ApiKey.role, innerjoin=True))
        .where(ApiKey.organization_id == principal.organization.id, ApiKey.revoked_at.is_(None))
    )
