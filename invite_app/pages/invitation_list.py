"""The list of invitations: who is not in yet, and why."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue

from invite_app.models import DeliveryState, InvitationState
from invite_app.services import invitations, outbox
from invite_app.services.attention import ending_soon
from invite_app.services.invitations import Filter

from . import paging
from .blueprint import pages
from .frame import show
from .visitor import actor, standing
from .why import why


@dataclass(frozen=True)
class Tab:
    """One state to look at, and what an empty list of it says."""

    key: str
    label: str
    only: Filter
    icon: str
    empty: tuple[str, str]
    counted_as: str = ""


TABS = (
    Tab(
        "pending",
        "Pending",
        Filter((InvitationState.PENDING,)),
        "mail",
        (
            "Nobody is invited yet",
            "Invite the first person. You will see here who is not in yet, and why.",
        ),
    ),
    Tab(
        "undelivered",
        "Not delivered",
        Filter((InvitationState.PENDING,), DeliveryState.FAILED),
        "circle-check",
        (
            "Everything is delivered",
            "If an email fails to arrive, it appears here with the mail server's answer.",
        ),
        counted_as="failed",
    ),
    Tab("expired", "Expired", Filter((InvitationState.EXPIRED,)), "hourglass", ("Nothing has expired", "")),
    Tab("declined", "Declined", Filter((InvitationState.DECLINED,)), "hand-stop", ("Nobody has declined", "")),
    Tab("revoked", "Revoked", Filter((InvitationState.REVOKED,)), "ban", ("Nothing was revoked", "")),
    Tab("accepted", "Accepted", Filter((InvitationState.ACCEPTED,)), "users", ("Nobody has accepted yet", "")),
    Tab("all", "All", Filter(), "mail", ("Nobody is invited yet", "Invite the first person.")),
)
BY_KEY = {tab.key: tab for tab in TABS}


SOON = Tab("soon", "Ending soon", Filter(), "hourglass", ("Nothing ends within two days", ""))


@pages.get("/organizations/<uuid:organization_id>/invitations", endpoint="invitations")
def show_list(organization_id: UUID) -> ResponseReturnValue:
    numbers = invitations.counts(organization_id, by=actor())
    tab = BY_KEY.get(request.args.get("state", ""), TABS[0])
    only_soon = "soon" in request.args
    words = request.args.get("q", "").strip()
    page = invitations.list_page(
        organization_id,
        by=actor(),
        only=replace(ending_soon() if only_soon else tab.only, fragment=words),
        cursor=request.args.get("cursor"),
    )
    return show(
        "invitations/list.html",
        rows=[(invitation, why(invitation)) for invitation in page.items],
        page=paging.links(page, state=tab.key, q=words or None, soon="1" if only_soon else None),
        tabs=[_line(one, numbers, is_current=one is tab and not only_soon) for one in TABS],
        tab=SOON if only_soon else tab,
        words=words,
        only_soon=only_soon,
        pending=numbers["pending"],
        is_behind=outbox.is_behind(standing().organization),
    )


def _line(tab: Tab, numbers: dict[str, int], *, is_current: bool) -> dict[str, Any]:
    return {
        "label": tab.label,
        "href": url_for("pages.invitations", state=tab.key),
        "count": numbers.get(tab.counted_as or tab.key),
        "bad": tab.key == "undelivered",
        "current": is_current,
    }
