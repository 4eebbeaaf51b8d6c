"""One member: the page and the panel beside the list."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from invite_app.access import authorize
from invite_app.models import Membership
from invite_app.pages.blueprint import large_form, pages
from invite_app.pages.shared import FormErrors, current_actor, principal, render_page
from invite_app.services import cross_search, members

from . import filters
from .form import MemberForm, effect, form_of, lines, obstacle, refused

ALL = "/organizations/<uuid:organization_id>/members"
ONE = f"{ALL}/<uuid:user_id>"


@pages.route(ONE, methods=["GET", "POST"])
@large_form("members:write")
def member(organization_id: UUID, user_id: UUID) -> ResponseReturnValue:
    found = members.get(organization_id, user_id, by=current_actor())
    roles, workspaces = cross_search.filter_options(principal())
    form = form_of(found, roles, workspaces)
    if request.method == "POST":
        principal().check_can("members:write")
        if "preview" not in request.form and form.validate():
            with FormErrors(form):
                return _save(organization_id, found, form)
    return render_page(
        "members/one.html",
        status=form.status,
        form=form,
        member=found,
        lines=lines(roles),
        locked=refused(found, roles, principal()),
        obstacle=obstacle(found, principal()),
        effect=effect(form, found, roles, workspaces),
    )


def _save(organization_id: UUID, before: Membership, form: MemberForm) -> ResponseReturnValue:
    after = members.change(
        organization_id,
        before.user_id,
        role=form.chosen_role,
        workspace_ids=form.workspace_ids.data or (),
        by=current_actor(),
    )
    note_saved(before, after)
    return redirect(
        url_for("pages.member", user_id=after.user_id) if may_stay(after) else url_for("pages.overview"), 303
    )


def note_saved(before: Membership, after: Membership) -> None:
    is_new = before.role.key != after.role.key
    flash(f"Saved. {after.user.name or after.user.email} is {after.role.name} now." if is_new else "Saved.")


def may_stay(after: Membership) -> bool:
    """Return whether the actor may still see members, since they may have changed themselves."""
    return authorize(current_actor(), after.organization_id).can("members:read")


@pages.route(f"{ONE}/role", methods=["GET", "POST"])
def member_role(organization_id: UUID, user_id: UUID) -> ResponseReturnValue:
    principal().check_can("members:write")
    found = members.get(organization_id, user_id, by=current_actor())
    roles, _ = cross_search.filter_options(principal())
    form = form_of(found, roles, ())
    del form.workspace_ids
    if form.validate_on_submit():
        with FormErrors(form):
            return _save_in_panel(organization_id, found, form)
    return render_page(
        "members/role.html",
        status=form.status,
        form=form,
        member=found,
        lines=lines(roles),
        locked=refused(found, roles, principal()),
        obstacle=obstacle(found, principal()),
        place=_place(),
    )


def _save_in_panel(organization_id: UUID, before: Membership, form: MemberForm) -> ResponseReturnValue:
    after = members.change(organization_id, before.user_id, role=form.chosen_role, by=current_actor())
    note_saved(before, after)
    return redirect(url_for("pages.members", **_place()) if may_stay(after) else url_for("pages.overview"), 303)


def _place() -> dict[str, Any]:
    """Return the parameters of the list that the panel was opened from."""
    return {**filters.read().given, "cursor": request.args.get("cursor")}
