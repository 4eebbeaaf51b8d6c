"""Objects of Clerk's API as closed JSON Schemas, so that an extra key is found like a missing one."""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
METADATA: Schema = {"type": "object"}
ROLE: Schema = {"type": "string", "pattern": "^org:"}
# In milliseconds: values in seconds or microseconds are outside of the range.
MOMENT: Schema = {"type": "integer", "minimum": 1_500_000_000_000, "maximum": 4_000_000_000_000}
TIMES = {"created_at": MOMENT, "updated_at": MOMENT}


def closed(properties: Mapping[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def listed(item: Schema) -> Schema:
    return closed({"data": {"type": "array", "items": item, "minItems": 1}, "total_count": NUMBER})


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


ORGANIZATION = closed(
    {
        "object": {"const": "organization"},
        "id": TEXT,
        "name": TEXT,
        "slug": TEXT,
        "image_url": TEXT,
        "has_image": FLAG,
        "members_count": NUMBER,
        "pending_invitations_count": NUMBER,
        "max_allowed_memberships": NUMBER,
        "admin_delete_enabled": FLAG,
        "public_metadata": METADATA,
        "private_metadata": METADATA,
        "created_by": TEXT,
        **TIMES,
    }
)
PERSON = {
    "user_id": TEXT,
    "first_name": TEXT_OR_NULL,
    "last_name": TEXT_OR_NULL,
    "image_url": TEXT,
    "has_image": FLAG,
    "identifier": TEXT,
}
MEMBERSHIP = closed(
    {
        "object": {"const": "organization_membership"},
        "id": TEXT,
        "role": ROLE,
        "role_name": TEXT,
        "permissions": {"type": "array", "items": ROLE},
        "public_metadata": METADATA,
        "private_metadata": METADATA,
        "organization": ORGANIZATION,
        "public_user_data": closed({**PERSON, "profile_image_url": TEXT_OR_NULL, "username": TEXT_OR_NULL}),
        **TIMES,
    }
)
_INVITATION = {
    "object": {"const": "organization_invitation"},
    "id": TEXT,
    "email_address": TEXT,
    "role": ROLE,
    "role_name": TEXT,
    "inviter_id": TEXT_OR_NULL,
    "public_inviter_data": nullable(closed(PERSON)),
    "public_metadata": METADATA,
    "private_metadata": METADATA,
    "organization_id": TEXT,
    "status": {"enum": ["pending", "accepted", "revoked", "expired"]},
    "url": {"type": "null"},
    "expires_at": MOMENT,
    **TIMES,
}
INVITATION = closed(_INVITATION)
INVITATION_WITH_ORGANIZATION = closed(
    {
        **_INVITATION,
        "public_organization_data": closed(
            {"id": TEXT, "name": TEXT, "slug": TEXT, "image_url": TEXT, "has_image": FLAG}
        ),
    }
)
ROLE_OBJECT = closed(
    {
        "object": {"const": "role"},
        "id": TEXT,
        "name": TEXT,
        "key": ROLE,
        "description": TEXT_OR_NULL,
        "is_creator_eligible": FLAG,
        "permissions": {
            "type": "array",
            "items": closed(
                {
                    "object": {"const": "permission"},
                    "id": TEXT,
                    "name": TEXT,
                    "key": ROLE,
                    "description": TEXT,
                    "type": {"enum": ["system", "user"]},
                    **TIMES,
                }
            ),
        },
        **TIMES,
    }
)
_ERROR = {"message": TEXT, "long_message": TEXT, "code": {"type": "string", "pattern": "^[a-z_]+$"}}
ERRORS = closed(
    {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {"anyOf": [closed(_ERROR), closed({**_ERROR, "meta": closed({"param_name": TEXT})})]},
        }
    }
)


def check(schema: Schema, value: Any) -> None:
    """Raise jsonschema's ValidationError if the object does not match."""
    Draft202012Validator(schema).validate(value)
