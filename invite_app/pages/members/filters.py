"""Filter and order of the list of members, read from the URL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import request

from invite_app import ids
from invite_app.models import Membership
from invite_app.services import members
from invite_app.services.members import Filter
from invite_app.services.pagination import Order

# An id that no workspace has, for an unreadable id in the URL.
NOWHERE = UUID(int=0)

BY_NAME, NEWEST = members.BY_NAME, members.NEWEST
BY_VISIT: Order[Membership] = Order((Membership.last_seen_at, Membership.id), lambda row: (row.last_seen_at, row.id))
ORDERS: Mapping[str, Order[Membership]] = {
    "name": BY_NAME,
    "-name": Order(BY_NAME.columns, BY_NAME.values, descending=True),
    "joined": members.OLDEST,
    "-joined": NEWEST,
    "active": BY_VISIT,
    "-active": Order(BY_VISIT.columns, BY_VISIT.values, descending=True),
}
DEFAULT = "name"


@dataclass(frozen=True)
class ListQuery:
    """The requested filter and order; empty values do not filter."""

    q: str = ""
    role: str = ""
    workspace: str = ""
    sort: str = DEFAULT

    @property
    def only(self) -> Filter:
        return Filter(
            fragment=self.q,
            roles=[self.role] if self.role else (),
            workspace_id=next(iter(ids.valid_ids([self.workspace])), NOWHERE) if self.workspace else None,
        )

    @property
    def order(self) -> Order[Membership]:
        return ORDERS[self.sort]

    @property
    def narrows(self) -> dict[str, str]:
        """The filter as parameters of an address."""
        chosen = {"q": self.q, "role": self.role, "workspace": self.workspace}
        return {name: value for name, value in chosen.items() if value}

    @property
    def given(self) -> dict[str, str]:
        """The filter and the order, as parameters of an address."""
        return self.narrows | ({"sort": self.sort} if self.sort != DEFAULT else {})

    def head(self, key: str) -> dict[str, Any]:
        """Return the current order of a column, and the parameters to order by it or to reverse it."""
        turned = f"-{key}" if self.sort == key else key
        directions = {key: "ascending", f"-{key}": "descending"}
        return {"sort": directions.get(self.sort, "none"), "given": {**self.narrows, "sort": turned}}


def read(sent: Mapping[str, str] | None = None) -> ListQuery:
    """From the address, unless a form carries it."""
    sent = request.args if sent is None else sent
    sort = sent.get("sort", DEFAULT)
    q, role, workspace = (sent.get(name, "").strip() for name in ("q", "role", "workspace"))
    return ListQuery(q, role, workspace, sort if sort in ORDERS else DEFAULT)
