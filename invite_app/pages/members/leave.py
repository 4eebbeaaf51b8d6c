"""Leaving an organization."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from invite_app.pages.blueprint import pages
from invite_app.pages.shared import FormErrors, current_actor, principal, render_page
from invite_app.services import members


@pages.route("/organizations/<uuid:organization_id>/leave", methods=["GET", "POST"])
def leave(organization_id: UUID) -> ResponseReturnValue:
    name = principal().organization.name
    if request.method == "POST":
        with FormErrors():
            members.leave(organization_id, by=current_actor())
            flash(f"You left {name}.", "ok")
            return redirect(url_for("pages.home"), 303)
        return redirect(url_for("pages.leave"), 303)
    return render_page("members/leave.html", is_last_owner=principal().is_owner and _is_last_owner(organization_id))


def _is_last_owner(organization_id: UUID) -> bool:
    return members.count_owners(members.get_own(organization_id, by=current_actor())) == 1
