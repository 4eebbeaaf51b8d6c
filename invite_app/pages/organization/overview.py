"""The overview of an organization: what needs somebody, the seats, what happened last."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import url_for
from flask.typing import ResponseReturnValue

from invite_app.pages.blueprint import pages
from invite_app.pages.invitations import latest_event
from invite_app.pages.shared import dates, local_only_url, principal, render_page
from invite_app.services import audit, invitations, members
from invite_app.services.invitations import Attention, Examples

LATEST = 5
MOST_LINES = 6
# Charts need at least this many invitations.
ENOUGH = 5


@dataclass(frozen=True)
class Line:
    """One thing that needs somebody, with the list to look through, or the act that settles it at once."""

    kind: str
    icon: str
    sentence: str
    detail: str
    href: str = ""
    label: str = "Review"
    is_act: bool = False


@pages.get("/organizations/<uuid:organization_id>/")
def overview(organization_id: UUID) -> ResponseReturnValue:  # noqa: ARG001 - the address names it
    here = principal()
    needs = invitations.summarize_attention(here) if here.can("invitations:read") else None
    numbers = invitations.compute_statistics(here) if needs else None
    return render_page(
        "overview/page.html",
        offer=members.find_parties(here),
        attention=needs,
        lines=list(_lines(needs))[:MOST_LINES] if needs else [],
        statistics=numbers,
        weeks=[_week(week) for week in numbers.weeks] if numbers else [],
        median=_length(numbers.median_time_to_accept) if numbers else "",
        enough=ENOUGH,
        latest=latest_event(audit.list_latest(here, LATEST)) if here.can("audit:read") else [],
    )


def _lines(needs: Attention) -> Iterator[Line]:
    """The most urgent first."""
    late, soon = needs.undelivered, needs.ending_soon
    if late.total:
        sentence = f"{_invitations(late.total, 'was', 'were')} not delivered"
        yield Line("bad", "alert-circle", sentence, _names(late), url_for("pages.invitations", state="undelivered"))
    if needs.asking.total:
        yield _asking(needs.asking)
    if needs.lost_right.total:
        yield _lost_right(needs.lost_right)
    if needs.outside_domains.total:
        yield _outside_domains(needs.outside_domains)
    if soon.total:
        sentence = f"{_invitations(soon.total, 'ends', 'end')} within two days"
        yield Line("warn", "hourglass", sentence, _names(soon), url_for("pages.invitations", soon=1))
    if needs.is_nearly_full:
        yield _seats(needs.seats_left or 0)
    if (address := local_only_url()) and principal().can("organization:write"):
        detail = "Nobody outside this machine can open them. Set INVITE_EXTERNAL_URL."
        yield Line("warn", "link", f"Links in emails start with {address}", detail)


def _asking(asking: Examples) -> Line:
    one = asking.items[0]
    if asking.total > 1:
        sentence = f"{asking.total:,} people ask for a fresh invitation"
        return Line("warn", "hand-stop", sentence, _names(asking), url_for("pages.invitations", state="expired"))
    word = f" “{one.request_message}”" if one.request_message else ""
    detail = f"The invitation ended on {dates.day(one.expires_at)}.{word}"
    sentence = f"{one.name or one.email} asks for a fresh invitation"
    if not principal().can("invitations:write"):
        return Line("warn", "hand-stop", sentence, detail, url_for("pages.invitation", invitation_id=one.id))
    act = url_for("pages.resend_invitation", invitation_id=one.id)
    return Line("warn", "hand-stop", sentence, detail, act, "Send a fresh one", is_act=True)


def _lost_right(lost: Examples) -> Line:
    one = lost.items[0]
    sentence = f"{_invitations(lost.total, 'rests', 'rest')} on a right that is gone"
    if lost.total > 1:
        return Line("off", "lock", sentence, _names(lost), url_for("pages.invitations"))
    detail = f"{one.inviter_name}, who invited {one.name or one.email}, may no longer grant {one.role_name}."
    return Line("off", "lock", sentence, detail, url_for("pages.invitation", invitation_id=one.id))


def _outside_domains(outside: Examples) -> Line:
    sentence = f"{_invitations(outside.total, 'is', 'are')} to an address that is no longer allowed"
    return Line("warn", "mail-off", sentence, _names(outside), url_for("pages.invitations", state="outside"))


def _seats(left: int) -> Line:
    sentence = f"All {f'but {left:,} of ' if left else ''}{principal().organization.seat_limit:,} seats are in use"
    detail = "Pending invitations hold a seat until they are accepted or end."
    return Line("warn", "armchair", sentence, detail, url_for("pages.invitations"))


def _week(week: invitations.Week) -> dict[str, Any]:
    return {"label": f"{week.start.day} {week.start:%b}", "a": week.sent, "b": week.accepted}


def _length(wait: timedelta | None) -> str:
    """'5.7 h', '3.2 days'; nothing while nobody has accepted."""
    if wait is None:
        return ""
    for unit, word in ((dates.DAY, "days"), (dates.HOUR, "h")):
        if wait >= unit:
            return f"{wait / unit:.1f} {word}"
    return f"{max(wait // dates.MINUTE, 1)} min"


def _invitations(number: int, one: str, several: str) -> str:
    return f"{number:,} invitation{'s' if number != 1 else ''} {one if number == 1 else several}"


def _names(some: Examples) -> str:
    names = [invitation.name or invitation.email for invitation in some.items]
    rest = some.total - len(names)
    return f"{', '.join(names)} and {rest:,} more" if rest else " and ".join(names)
