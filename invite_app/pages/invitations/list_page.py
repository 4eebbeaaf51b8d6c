"""The list of invitations: who is not in yet, and why."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue

from invite_app.errors import RoleNotFound
from invite_app.models import Invitation
from invite_app.pages.blueprint import pages
from invite_app.pages.shared import page_links, principal, render_page
from invite_app.services import cross_search, delivery, invitations, roles, search

from . import filters
from .filters import TABS, ListQuery, Tab
from .status import why

ALL = "/organizations/<uuid:organization_id>/invitations"


@pages.get(ALL, endpoint="invitations")
def show_list(organization_id: UUID) -> ResponseReturnValue:
    numbers = invitations.count_by_state(principal(), at_most=search.COUNT_CAP)
    chosen = filters.read()
    page = invitations.page_for(principal(), only=chosen.only, order=chosen.order, cursor=request.args.get("cursor"))
    return render_page(
        "invitations/list.html",
        rows=[(invitation, why(invitation)) for invitation in page.items],
        page=page_links.links(page, **chosen.given),
        tabs=[_line(one, numbers, chosen) for one in TABS],
        chosen=chosen,
        role_name=_role_name(organization_id, chosen.role, page.items),
        tab=chosen.tab,
        all_selected="all" in request.args,
        pending=numbers["pending"],
        members=cross_search.matching_members(principal(), chosen.q),
        is_behind=delivery.is_delayed(principal().organization),
    )


def _role_name(organization_id: UUID, wanted: str, found: Sequence[Invitation]) -> str:
    """Return the name of the role in the filter, or the given text if there is no such role."""
    if not wanted:
        return ""
    if found and found[0].role:
        return found[0].role.name
    try:
        return roles.get(organization_id, wanted).name
    except RoleNotFound:
        return wanted


def _line(tab: Tab, numbers: dict[str, int], chosen: ListQuery) -> dict[str, Any]:
    """A search and a role go along to the other tabs; their numbers are those of everybody."""
    there: dict[str, Any] = {**replace(chosen, tab=tab).narrows}
    return {
        "label": tab.label,
        "href": url_for("pages.invitations", **there),
        "count": numbers.get(tab.counted_as or tab.key),
        "bad": tab.key == "undelivered",
        "current": tab is chosen.tab,
    }
