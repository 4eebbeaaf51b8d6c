"""Everything that is stored about one person, for a copy of their data.

What concerns other people stays out of it: the names and addresses of those who invited them or whom they invited.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select

from invite_app.db import session
from invite_app.models import (
    AccountLink,
    ApiKey,
    AuditEvent,
    Import,
    ImportRow,
    Invitation,
    InvitationEvent,
    Organization,
    OutboxMessage,
    OwnershipOffer,
    Role,
    Session,
    User,
)
from invite_app.services import accounts, members, rate_limits

Facts = dict[str, Any]

LISTED: Mapping[str, tuple[str, ...]] = {
    "sessions": ("created_at", "last_seen_at", "ip", "user_agent"),
    "account_links": ("purpose", "email", "created_at", "expires_at", "used_at"),
    "api_keys": ("organization", "name", "role", "prefix", "created_at", "expires_at", "revoked_at", "last_used_at"),
    "invitations_received": (
        "id",
        "organization",
        "email",
        "given_name",
        "family_name",
        "role_name",
        "note",
        "state",
        "created_at",
        "expires_at",
        "closed_at",
        "decline_message",
        "request_message",
        "public_metadata",
    ),
    "invitation_events": ("invitation_id", "at", "kind"),
    "invitations_sent": ("id", "organization", "state", "created_at"),
    "list_rows": ("organization", "email", "given_name", "family_name", "state"),
    "messages": ("kind", "organization", "state", "created_at", "sent_at"),
    "ownership_offers": ("organization", "created_at"),
    "actions": ("at", "action", "organization", "ip"),
    "changes": ("at", "action", "organization", "before", "after"),
}


def export_own(user_id: UUID, *, password: str, session_id: str) -> Facts:
    """Return the copy that a signed-in person asks for. Raises InvalidCredentials and RateLimited.

    It holds no private metadata, which organizations keep from their members.
    """
    accounts.check_password(user_id, password, session_id)
    rate_limits.count("exports of account", user_id)
    return export(user_id, with_private_metadata=False)


def export(user_id: UUID, *, with_private_metadata: bool = True) -> Facts:
    """Return everything stored about this person, by kind."""
    user = session().get_one(User, user_id)
    private = ("private_metadata",) if with_private_metadata else ()
    facts: Facts = {
        "account": {
            "id": user.id,
            "email": user.email,
            "given_name": user.given_name,
            "family_name": user.family_name,
            "is_verified": user.is_verified,
            "has_password": user.password_hash is not None,
            "created_at": user.created_at,
        },
        "memberships": _memberships(user_id, private),
    }
    for name, query in _queries(user).items():
        columns = LISTED[name] + (private if name == "invitations_received" else ())
        facts[name] = [_picked(row, columns) for row in session().execute(query).mappings()]
    return facts


def _memberships(user_id: UUID, private: tuple[str, ...]) -> list[Facts]:
    columns = ("created_at", "last_active", "public_metadata", *private)
    return [
        {
            "organization": one.organization.name,
            "role": one.role.name,
            "workspaces": [workspace.name for workspace in one.workspaces],
            **{name: getattr(one, name) for name in columns},
        }
        for one in members.memberships_of(user_id)
    ]


def _queries(user: User) -> dict[str, Select[Any]]:
    received = select(Invitation.id).where(Invitation.email == user.email)
    acted = AuditEvent.actor_id.in_([user.id, *session().scalars(select(ApiKey.id).where(ApiKey.user_id == user.id))])
    about = or_(AuditEvent.target_id == user.id, AuditEvent.target_id.in_(received))
    offers = or_(OwnershipOffer.owner_id == user.id, OwnershipOffer.heir_id == user.id)
    to_them = or_(OutboxMessage.user_id == user.id, OutboxMessage.invitation_id.in_(received))
    return {
        "sessions": _rows(Session).where(Session.user_id == user.id),
        "account_links": _rows(AccountLink).where(AccountLink.user_id == user.id),
        "api_keys": _in_organizations(ApiKey, Role.name.label("role"))
        .join(Role, Role.id == ApiKey.role_id)
        .where(ApiKey.user_id == user.id),
        "invitations_received": _in_organizations(Invitation).where(Invitation.email == user.email),
        "invitation_events": _rows(InvitationEvent).where(InvitationEvent.invitation_id.in_(received)),
        "invitations_sent": _in_organizations(Invitation).where(Invitation.inviter_id == user.id),
        "list_rows": select(*ImportRow.__table__.columns, Organization.name.label("organization"))
        .join(Import, Import.id == ImportRow.sheet_id)
        .join(Organization, Organization.id == Import.organization_id)
        .where(ImportRow.address == user.email),
        "messages": _in_organizations(OutboxMessage).where(to_them),
        "ownership_offers": _in_organizations(OwnershipOffer).where(offers),
        "actions": _in_organizations(AuditEvent).where(acted).order_by(AuditEvent.at),
        "changes": _in_organizations(AuditEvent).where(about).order_by(AuditEvent.at),
    }


def _rows(model: Any, *more: Any) -> Select[Any]:
    return select(*model.__table__.columns, *more)


def _in_organizations(model: Any, *more: Any) -> Select[Any]:
    """Select the rows with the names of their organizations, if they have one."""
    named = _rows(model, Organization.name.label("organization"), *more)
    return named.outerjoin(Organization, Organization.id == model.organization_id)


def _picked(row: Any, columns: Iterable[str]) -> Facts:
    return {name: row[name] for name in columns}
