"""The published schemas of the invitation endpoint, with their references resolved."""

from typing import Any

from jsonschema import Draft202012Validator

TEXT_OR_NULL = {"anyOf": [{"type": "string"}, {"type": "null"}]}

HOSTED_ORGANIZATION_INVITATION = {
    "additionalProperties": False,
    "properties": {
        "created_at": {**TEXT_OR_NULL, "title": "Created At"},
        "email": {"title": "Email", "type": "string"},
        "expires_at": {**TEXT_OR_NULL, "title": "Expires At"},
        "invitation_id": {"title": "Invitation Id", "type": "string"},
        "role": {"title": "Role", "type": "string"},
        "state": {"default": "pending", "title": "State", "type": "string"},
    },
    "required": ["invitation_id", "email", "role"],
    "title": "HostedOrganizationInvitation",
    "type": "object",
}

INVITE_ORGANIZATION_MEMBER_REQUEST = {
    "additionalProperties": False,
    "properties": {
        "email": {"minLength": 1, "title": "Email", "type": "string"},
        "role": {"minLength": 1, "title": "Role", "type": "string"},
    },
    "required": ["email", "role"],
    "title": "InviteOrganizationMemberRequest",
    "type": "object",
}

SEATS = {
    "properties": {
        **{name: {"type": "integer"} for name in ("active", "granted", "pending", "used")},
        **{name: {"type": "boolean"} for name in ("blocked", "overage_allowed", "unlimited")},
    },
    "required": ["active", "blocked", "granted", "overage_allowed", "pending", "unlimited", "used"],
    "type": "object",
}

VALIDATION_ERROR = {
    "properties": {
        "ctx": {"title": "Context", "type": "object"},
        "input": {"title": "Input"},
        "loc": {
            "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            "title": "Location",
            "type": "array",
        },
        "msg": {"title": "Message", "type": "string"},
        "type": {"title": "Error Type", "type": "string"},
    },
    "required": ["loc", "msg", "type"],
    "title": "ValidationError",
    "type": "object",
}

HTTP_VALIDATION_ERROR = {
    "properties": {"detail": {"items": VALIDATION_ERROR, "title": "Detail", "type": "array"}},
    "title": "HTTPValidationError",
    "type": "object",
}


def check(value: Any, schema: dict[str, Any]) -> None:
    Draft202012Validator(schema).validate(value)
