"""Links of invitations that a member or an API key copied: each names its copier and ends with the copier's right."""

from uuid import UUID

from invite_app import tokens
from invite_app.access import Actor, ApiKeyActor, OperatorActor, UserActor, authorize
from invite_app.errors import DomainError
from invite_app.models import Invitation


def new_token(invitation: Invitation, copier: Actor) -> str:
    """Return the token of a link that this actor copies."""
    match copier:
        case UserActor(user_id):
            return tokens.copied_token(invitation.id, invitation.nonce, tokens.COPIED_BY_USER, user_id)
        case ApiKeyActor(api_key_id):
            return tokens.copied_token(invitation.id, invitation.nonce, tokens.COPIED_BY_KEY, api_key_id)
        case OperatorActor():
            return tokens.copied_token(invitation.id, invitation.nonce)


def is_usable(token: tokens.Token, invitation: Invitation) -> bool:
    """Return whether the copier of a valid token may copy it still, in spite of a role that was deleted meanwhile.

    Links from the mail and those that the operator copied rest on nobody's right to copy.
    """
    if token.copier_id is None:
        return True
    try:
        principal = authorize(
            _copier(token.kind, token.copier_id, invitation.organization_id), invitation.organization_id
        )
    except DomainError:
        return False
    if invitation.role is None:
        return principal.can("invitations:write")
    return principal.can_see_link(invitation.role)


def _copier(kind: bytes, copier_id: UUID, organization_id: UUID) -> Actor:
    return ApiKeyActor(copier_id, organization_id) if kind == tokens.COPIED_BY_KEY else UserActor(copier_id)
