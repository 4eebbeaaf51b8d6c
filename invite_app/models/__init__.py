"""The tables, one file per aggregate."""

from .accounts import AccountLink, Session, User
from .api_keys import ApiKey, IdempotencyKey
from .audit import AuditEvent
from .heartbeat import DeliveryHeartbeat
from .imports import Batch, Import, ImportRow, RowState
from .invitations import (
    IS_PENDING,
    IS_QUEUED,
    DeliveryState,
    Invitation,
    InvitationState,
    OutboxMessage,
    invitation_workspaces,
)
from .members import Membership, membership_workspaces
from .organizations import Organization, OwnershipOffer, Plan, SetupMarker, Workspace
from .roles import Role
from .statistics import WeeklyStatistics
from .tracking import InvitationEvent, TrackingEvent

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
    "Import",
    "ImportRow",
    "Invitation",
    "InvitationEvent",
    "InvitationState",
    "Membership",
    "Organization",
    "OutboxMessage",
    "OwnershipOffer",
    "Plan",
    "Role",
    "RowState",
    "Session",
    "SetupMarker",
    "TrackingEvent",
    "User",
    "WeeklyStatistics",
    "Workspace",
    "invitation_workspaces",
    "membership_workspaces",
]
