"""API keys: listed, made and revoked. A key's secret is in the answer to its making, and nowhere else."""

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, Field

from invite_app.access import Actor
from invite_app.api.dialect import ErrorResponse, ErrorTable
from invite_app.api.fastapi_errors import field_error
from invite_app.api.schema import Schema
from invite_app.errors import MembershipNotFound
from invite_app.models import ApiKey
from invite_app.services import api_keys

from .dialect import deepset


class ApiKeyShown(Schema):
    api_key_id: UUID
    name: str
    prefix: str
    role_id: UUID
    user_id: UUID
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class ApiKeyMade(ApiKeyShown):
    api_key: str = Field(description="The key itself. It is shown only now.")


class NewApiKey(Schema):
    name: str
    role: str
    user_id: UUID | None = Field(default=None, description="Whom it acts for; the first owner when left out.")
    expires_at: AwareDatetime | None = None


LIST = "/organization/{organization_id}/api-keys"
IN_BODY: ErrorTable = {MembershipNotFound: ErrorResponse(422, field_error("user_id"))}


@deepset.endpoint("GET", LIST, permission="api_keys:write")
def list_api_keys(organization_id: str, by: Actor) -> list[ApiKeyShown]:
    """The keys that work, newest first, without their secrets."""
    return [shown(api_key) for api_key in api_keys.list_all(organization_id, by=by)]


@deepset.endpoint("POST", LIST, status=201, permission="api_keys:write", errors=IN_BODY)
def create_api_key(organization_id: str, body: NewApiKey, by: Actor) -> ApiKeyMade:
    """Makes a key. It can do what both its role and the role of its user allow."""
    made, secret = api_keys.create(organization_id, by=by, **body.model_dump())
    return ApiKeyMade(**shown(made).model_dump(), api_key=secret)


@deepset.endpoint("DELETE", LIST + "/{api_key_id}", status=204, permission="api_keys:write")
def revoke_api_key(organization_id: str, api_key_id: str, by: Actor) -> None:
    """Ends a key at once and for good."""
    api_keys.revoke(organization_id, api_key_id, by=by)


def shown(api_key: ApiKey) -> ApiKeyShown:
    return ApiKeyShown(
        api_key_id=api_key.id,
        name=api_key.name,
        prefix=api_key.prefix,
        role_id=api_key.role_id,
        user_id=api_key.user_id,
        created_at=api_key.created_at,
        expires_at=api_key.expires_at,
        last_used_at=api_key.last_used_at,
    )
