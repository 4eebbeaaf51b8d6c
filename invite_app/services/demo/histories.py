"""Histories of the demo's invitations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from invite_app.models import DeliveryState, InvitationState

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class InvitationHistory:
    """The history of an invitation. Times are ages, counted back from now."""

    sent: timedelta
    state: InvitationState = InvitationState.PENDING
    delivery: DeliveryState = DeliveryState.SENT
    reason: str = ""
    ends_in: timedelta | None = None
    opened: timedelta | None = None
    checked: timedelta | None = None
    wrong_account: timedelta | None = None
    no_seat: timedelta | None = None
    asked: timedelta | None = None
    word: str = ""
    inviter_lost_right: bool = False


PENDING_STORIES: Sequence[InvitationHistory] = (
    InvitationHistory(DAY, delivery=DeliveryState.FAILED, reason="550 5.1.2 northwnd.example does not exist"),
    InvitationHistory(5 * DAY, delivery=DeliveryState.FAILED, reason="the mail server did not answer in time"),
    InvitationHistory(2 * DAY, wrong_account=2 * HOUR),
    InvitationHistory(4 * DAY, inviter_lost_right=True),
    InvitationHistory(6 * DAY, opened=HOUR * 2 / 3, ends_in=27 * HOUR),
    InvitationHistory(5 * DAY, ends_in=31 * HOUR),
    InvitationHistory(12 * HOUR / 60),
    InvitationHistory(HOUR / 30, delivery=DeliveryState.QUEUED, reason="452 4.2.2 mailbox full"),
    InvitationHistory(3 * DAY, checked=3 * DAY - HOUR / 60),
    InvitationHistory(DAY, opened=5 * HOUR),
    InvitationHistory(2 * DAY, opened=DAY),
    InvitationHistory(6 * HOUR),
    InvitationHistory(3 * DAY),
    InvitationHistory(4 * DAY, opened=3 * DAY),
    InvitationHistory(DAY, checked=DAY - HOUR / 60, opened=3 * HOUR),
    InvitationHistory(8 * HOUR, no_seat=HOUR),
)
ENDED_STORIES: Sequence[InvitationHistory] = (
    InvitationHistory(
        14 * DAY, InvitationState.EXPIRED, opened=3 * HOUR, asked=HOUR, word="I was on leave. Is it too late?"
    ),
    *(InvitationHistory(age * DAY, InvitationState.EXPIRED) for age in (9, 11, 16, 23, 30)),
    InvitationHistory(12 * DAY, InvitationState.EXPIRED, opened=10 * DAY),
    InvitationHistory(20 * DAY, InvitationState.EXPIRED, DeliveryState.FAILED, reason="550 5.1.1 no such mailbox"),
    InvitationHistory(9 * DAY, InvitationState.DECLINED, opened=8 * DAY, word="I am leaving."),
    InvitationHistory(25 * DAY, InvitationState.DECLINED, opened=24 * DAY),
    InvitationHistory(41 * DAY, InvitationState.DECLINED, opened=41 * DAY, word="Wrong Maria, I think."),
    *(
        InvitationHistory(age * DAY, InvitationState.REVOKED)
        for age in (3, 8, 13, 21, 22, 35, 36, 50, 52, 60, 61, 70, 77)
    ),
)
