"""The outbox: queue messages, claim and send them, save the outcomes, show what waits or failed."""

from .attempts import TO_RECIPIENT, attempt, claim
from .heartbeat import read_heartbeat, record_heartbeat
from .immediate import send_now
from .local_outbox import get_local, list_local
from .monitoring import OutboxStatus, is_delayed, list_failed, outbox_status, retry, retry_all
from .notifications import notify_inviter, was_notified
from .outbox import enqueue, enqueue_notification, new_message, requeue, retry_now
from .outcomes import MAX_ATTEMPTS, Outcome, lock_all, lock_invitations, postponed, released, save_results
from .queries import workspaces_by_invitation, workspaces_of

__all__ = [
    "MAX_ATTEMPTS",
    "TO_RECIPIENT",
    "OutboxStatus",
    "Outcome",
    "attempt",
    "claim",
    "enqueue",
    "enqueue_notification",
    "get_local",
    "is_delayed",
    "list_failed",
    "list_local",
    "lock_all",
    "lock_invitations",
    "new_message",
    "notify_inviter",
    "outbox_status",
    "postponed",
    "read_heartbeat",
    "record_heartbeat",
    "released",
    "requeue",
    "retry",
    "retry_all",
    "retry_now",
    "save_results",
    "send_now",
    "was_notified",
    "workspaces_by_invitation",
    "workspaces_of",
]
