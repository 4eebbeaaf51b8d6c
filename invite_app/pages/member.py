"""One member: facts, role and workspaces with the effect of changing them."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from invite_app.access import authorize
from invite_app.errors import MemberAboveOwn
from invite_app.models import Membership
from invite_app.services import member_deeds, member_search, members

from . import facts
from .blueprint import pages
from .facts import Attempt
from .frame import show
from .member_form import MemberForm, effect, form_of, lines, only_owner, withheld
from .visitor import actor, standing

ALL = "/organizations/<uuid:organization_id>/members"
ONE = f"{ALL}/<uuid:user_id>"


@pages.route(ONE, methods=["GET", "POST"])
def member(organization_id: UUID, user_id: UUID) -> ResponseReturnValue:
    found = members.get(organization_id, user_id, by=actor())
    roles, workspaces = member_search.roles_and_workspaces(standing())
    form = form_of(found, roles, workspaces)
    if request.method == "POST":
        standing().check_may("members:write")
        if "preview" not in request.form and form.validate():
            with Attempt(form):
                return _save(organization_id, found, form)
    is_last_owner = found.role.is_owner and member_deeds.count_owners(found) == 1
    sentence = only_owner(found) if is_last_owner else ""
    locked = {role.key: sentence for role in roles if not role.is_owner} if is_last_owner else {}
    return show(
        "members/one.html",
        status=form.status,
        form=form,
        member=found,
        lines=lines(roles),
        locked=locked | withheld(roles, standing()),
        obstacle=_obstacle(found),
        effect=effect(form, found, roles, workspaces),
    )


def _save(organization_id: UUID, before: Membership, form: MemberForm) -> ResponseReturnValue:
    after = members.change(
        organization_id,
        before.user_id,
        role=form.role.data or before.role.key,
        workspace_ids=form.workspace_ids.data or (),
        by=actor(),
    )
    flash(
        f"Saved. {after.user.name or after.user.email} is {after.role.name} now."
        if _is_new(before, after)
        else "Saved."
    )
    may_stay = authorize(actor(), organization_id).may("members:read")
    return redirect(url_for("pages.member", user_id=after.user_id) if may_stay else url_for("pages.overview"), 303)


def _is_new(before: Membership, after: Membership) -> bool:
    return before.role.key != after.role.key


def _obstacle(found: Membership) -> str:
    """Why this person cannot change the member; empty for those who may, and for those who change nobody."""
    try:
        standing().check_may_change(found.user_id, found.role)
    except MemberAboveOwn as error:
        return str(facts.sentence(error)) if standing().may("members:write") else ""
    return ""
