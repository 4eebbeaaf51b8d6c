"""The list of members, and the same as a file."""

from collections.abc import Iterator
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue

from invite_app.models.types import now
from invite_app.pages.blueprint import pages
from invite_app.pages.shared import csv_download, current_actor, page_links, principal, render_page
from invite_app.services import cross_search, invitations, members

from . import filters

ALL = "/organizations/<uuid:organization_id>/members"
HEAD = ("Given name", "Family name", "Email", "Role", "Workspaces", "Joined (UTC)", "Last active (UTC)")


@pages.get(ALL, endpoint="members")
def show_list(organization_id: UUID) -> ResponseReturnValue:  # noqa: ARG001 - the address names it
    chosen = filters.read()
    page = members.page_for(principal(), only=chosen.only, order=chosen.order, cursor=request.args.get("cursor"))
    roles, workspaces = cross_search.filter_options(principal())
    return render_page(
        "members/list.html",
        members=page.items,
        page=page_links.links(page, **chosen.given),
        chosen=chosen,
        all_selected="all" in request.args,
        roles=[(role.key, role.name) for role in roles],
        workspaces=[(str(workspace.id), workspace.name) for workspace in workspaces],
        members_count=principal().organization.members_count,
        pending=0 if chosen.q else invitations.pending(principal()),
        invited=cross_search.matching_invitations(principal(), chosen.q),
    )


@pages.get(f"{ALL}/export")
def members_file(organization_id: UUID) -> ResponseReturnValue:
    """Everybody whom the list with the same filter shows."""
    principal().check_can("members:read")
    chosen = filters.read()
    return csv_download.download(f"members-{now():%Y-%m-%d}.csv", HEAD, _rows(organization_id, chosen))


def _rows(organization_id: UUID, chosen: filters.ListQuery) -> Iterator[tuple[object, ...]]:
    for member in members.export(organization_id, by=current_actor(), only=chosen.only, order=chosen.order):
        yield (
            member.user.given_name,
            member.user.family_name,
            member.user.email,
            member.role.name,
            ", ".join(workspace.name for workspace in member.workspaces),
            f"{member.created_at:%Y-%m-%d %H:%M}",
            f"{member.last_active:%Y-%m-%d %H:%M}" if member.last_active else "never",
        )
