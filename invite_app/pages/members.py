"""The list of members."""

from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue

from invite_app.services import attention, member_lists

from . import paging
from .blueprint import pages
from .frame import show
from .visitor import actor, standing


@pages.get("/organizations/<uuid:organization_id>/members", endpoint="members")
def show_list(organization_id: UUID) -> ResponseReturnValue:
    words = request.args.get("q", "").strip()
    page = member_lists.list_page(
        organization_id,
        by=actor(),
        only=member_lists.Filter(fragment=words),
        cursor=request.args.get("cursor"),
    )
    return show(
        "members/list.html",
        members=page.items,
        page=paging.links(page, q=words or None),
        words=words,
        members_count=standing().organization.members_count,
        pending=attention.pending(standing()),
    )
