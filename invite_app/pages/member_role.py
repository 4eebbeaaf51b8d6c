"""The role of one member: a page that the list of members opens as a panel in the member's row."""

from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from invite_app.models import Membership
from invite_app.services import cross_search, members

from . import member_filters
from .blueprint import pages
from .member import ONE, may_stay, note_saved
from .member_form import MemberForm, form_of, lines, obstacle, refused
from .shared import Attempt, actor, show, standing


@pages.route(f"{ONE}/role", methods=["GET", "POST"])
def member_role(organization_id: UUID, user_id: UUID) -> ResponseReturnValue:
    standing().check_may("members:write")
    found = members.get(organization_id, user_id, by=actor())
    roles, _ = cross_search.roles_and_workspaces(standing())
    form = form_of(found, roles, ())
    del form.workspace_ids
    if form.validate_on_submit():
        with Attempt(form):
            return _save(organization_id, found, form)
    return show(
        "members/role.html",
        status=form.status,
        form=form,
        member=found,
        lines=lines(roles),
        locked=refused(found, roles, standing()),
        obstacle=obstacle(found, standing()),
        place=_place(),
    )


def _save(organization_id: UUID, before: Membership, form: MemberForm) -> ResponseReturnValue:
    after = members.change(organization_id, before.user_id, role=form.chosen_role, by=actor())
    note_saved(before, after)
    return redirect(url_for("pages.members", **_place()) if may_stay(after) else url_for("pages.overview"), 303)


def _place() -> dict[str, Any]:
    """Where in the list the member was found, as parameters of an address."""
    return {**member_filters.read().given, "cursor": request.args.get("cursor")}
