"""Filter and order of the list of invitations, read from the URL."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask import request

from invite_app.models import DeliveryState, Invitation, InvitationState
from invite_app.services import invitations
from invite_app.services.invitations import OUTSIDE_DOMAINS, Filter, ending_soon
from invite_app.services.pagination import Order

NEED, ENDS, NEWEST = "need", "ends", "newest"
ORDERS: Mapping[str, tuple[str, Order[Invitation]]] = {
    NEED: ("Needs you first", invitations.NEEDS_YOU_FIRST),
    ENDS: ("Ends soonest", invitations.ENDS_SOONEST),
    NEWEST: ("Newest", invitations.NEWEST),
}
RESEND, EXTEND, REVOKE = "resend", "extend", "revoke"


@dataclass(frozen=True)
class Tab:
    """One state to look at, what an empty list of it says, the orders it has (the usual one first) and the deeds
    that can be done to many in it.
    """

    key: str
    label: str
    only: Filter
    icon: str
    empty: tuple[str, str]
    orders: tuple[str, ...] = (NEWEST,)
    deeds: tuple[str, ...] = ()
    counted_as: str = ""


TABS = (
    Tab(
        "pending",
        "Pending",
        Filter((InvitationState.PENDING,)),
        "mail",
        (
            "Nobody is invited yet",
            "Invite the first person, or paste a list. You will see here who is not in yet, and why.",
        ),
        (NEED, ENDS, NEWEST),
        (RESEND, EXTEND, REVOKE),
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
        (NEWEST, ENDS),
        (RESEND, EXTEND, REVOKE),
        counted_as="failed",
    ),
    Tab(
        "expired",
        "Expired",
        Filter((InvitationState.EXPIRED,)),
        "hourglass",
        ("Nothing has expired", ""),
        (NEED, NEWEST),
        (RESEND,),
    ),
    Tab("declined", "Declined", Filter((InvitationState.DECLINED,)), "hand-stop", ("Nobody has declined", "")),
    Tab("revoked", "Revoked", Filter((InvitationState.REVOKED,)), "ban", ("Nothing was revoked", "")),
    Tab("accepted", "Accepted", Filter((InvitationState.ACCEPTED,)), "users", ("Nobody has accepted yet", "")),
    Tab(
        "all",
        "All",
        Filter(),
        "mail",
        ("Nobody is invited yet", "Invite the first person, or paste a list."),
        deeds=(RESEND, EXTEND, REVOKE),
    ),
)
OUTSIDE = Tab(
    "outside",
    "Domain not allowed",
    OUTSIDE_DOMAINS,
    "mail-off",
    ("No invitation is outside the allowed domains", ""),
    (NEWEST, ENDS),
    (EXTEND, REVOKE),
)
BY_KEY = {tab.key: tab for tab in (*TABS, OUTSIDE)}
SOON = Tab(
    "soon",
    "Ending soon",
    Filter(),
    "hourglass",
    ("Nothing ends within two days", ""),
    (ENDS, NEED, NEWEST),
    (RESEND, EXTEND, REVOKE),
)


@dataclass(frozen=True)
class ListQuery:
    """The requested filter and order; without `q` the tab is not searched."""

    tab: Tab
    q: str
    sort: str
    role: str = ""

    @property
    def only(self) -> Filter:
        return replace(ending_soon() if self.tab is SOON else self.tab.only, role=self.role, fragment=self.q)

    @property
    def order(self) -> Order[Invitation]:
        return ORDERS[self.sort][1]

    @property
    def narrows(self) -> dict[str, str]:
        """The filter as parameters of an address."""
        return self.kept | ({"q": self.q} if self.q else {})

    @property
    def kept(self) -> dict[str, str]:
        """Return the parameters that another search keeps."""
        return self.place | ({"role": self.role} if self.role else {})

    @property
    def place(self) -> dict[str, str]:
        """The tab alone, as parameters of an address."""
        return {"soon": "1"} if self.tab is SOON else {"state": self.tab.key}

    @property
    def given(self) -> dict[str, str]:
        """The filter and the order, as parameters of an address."""
        return self.narrows | ({"sort": self.sort} if self.sort != self.tab.orders[0] else {})

    @property
    def orders(self) -> list[tuple[str, str]]:
        """Return the choices of orders; empty when there is only one."""
        return [(key, ORDERS[key][0]) for key in self.tab.orders] if len(self.tab.orders) > 1 else []


def read(sent: Mapping[str, str] | None = None) -> ListQuery:
    """From the address, unless a form carries it."""
    sent = request.args if sent is None else sent
    tab = SOON if sent.get("soon") else BY_KEY.get(sent.get("state", ""), TABS[0])
    sort = sent.get("sort", "")
    q, role = (sent.get(name, "").strip() for name in ("q", "role"))
    return ListQuery(tab, q, sort if sort in tab.orders else tab.orders[0], role)
