"""The tables, one file per aggregate."""

from .audit import AuditEvent
from .batch import Batch, IdempotencyKey
from .figures import WeeklyFigures
from .heartbeat import DeliveryHeartbeat
from .invitation import (
    IS_PENDING,
    IS_QUEUED,
    DeliveryState,
    Invitation,
    InvitationState,
    OutboxMessage,
    invitation_workspaces,
)
from .membership import ApiKey, Membership, membership_workspaces
from .observation import InvitationEvent, Observation
from .organization import Installation, Organization, OwnershipOffer, Plan, Workspace
from .role import Role
from .sheet import RowState, Sheet, SheetRow
from .user import AccountLink, Session, User

__all__ = [
    "IS_PENDING",
    "IS_QUEUED",
    "AccountLink",
    "ApiKey",
    "AuditEvent",
    "Batch",
    "DeliveryHeartbeat",
    "DeliveryState",
    "IdempotencyKey",
    "Installation",
    "Invitation",
    "InvitationEvent",
    "InvitationState",
    "Membership",
    "Observation",
    "Organization",
    "OutboxMessage",
    "OwnershipOffer",
    "Plan",
    "Role",
    "RowState",
    "Session",
    "Sheet",
    "SheetRow",
    "User",
    "WeeklyFigures",
    "Workspace",
    "invitation_workspaces",
    "membership_workspaces",
]
