"""The outbox: queue messages, claim and send them, save the outcomes, show what waits or failed."""

from .attempts import TO_RECIPIENT, attempt, claim
from .heartbeat import read_heartbeat, record_heartbeat
from .immediate import send_now
from .local_outbox import get_local, list_local
from .monitoring import OutboxStatus, is_behind, list_failed, outbox_status, retry, retry_all
from .notifications import ASKED, DECLINED, has_told, tell_inviter
from .outbox import enqueue, enqueue_again, enqueue_notice, hasten, message_of
from .outcomes import MAX_ATTEMPTS, Result, lock_all, lock_invitations, postponed, save_results, untried
from .queries import workspaces_by_invitation, workspaces_of

__all__ = [
    "ASKED",
    "DECLINED",
    "MAX_ATTEMPTS",
    "TO_RECIPIENT",
    "OutboxStatus",
    "Result",
    "attempt",
    "claim",
    "enqueue",
    "enqueue_again",
    "enqueue_notice",
    "get_local",
    "has_told",
    "hasten",
    "is_behind",
    "list_failed",
    "list_local",
    "lock_all",
    "lock_invitations",
    "message_of",
    "outbox_status",
    "postponed",
    "read_heartbeat",
    "record_heartbeat",
    "retry",
    "retry_all",
    "save_results",
    "send_now",
    "tell_inviter",
    "untried",
    "workspaces_by_invitation",
    "workspaces_of",
]
