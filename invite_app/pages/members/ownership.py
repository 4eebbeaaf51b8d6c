"""Offer the ownership of an organization to a member, accept or decline it."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from invite_app.errors import PermissionDenied
from invite_app.pages.blueprint import pages
from invite_app.pages.shared import FormErrors, current_actor, principal, render_page
from invite_app.services import members

from .detail import ONE

HERE = "/organizations/<uuid:organization_id>/ownership"


@pages.post(f"{HERE}/accept")
def become_owner(organization_id: UUID) -> ResponseReturnValue:
    with FormErrors():
        members.accept_transfer(organization_id, by=current_actor())
        flash(f"You are an owner of {principal().organization.name} now.", "ok")
    return redirect(url_for("pages.overview"), 303)


@pages.post(f"{HERE}/decline")
def decline_ownership(organization_id: UUID) -> ResponseReturnValue:
    """For the one who was asked, and for the one who asked and takes it back."""
    with FormErrors():
        members.decline_transfer(organization_id, by=current_actor())
        flash("The offer is gone. Nobody's role has changed.", "ok")
    return redirect(url_for("pages.overview"), 303)


@pages.route(f"{ONE}/hand-over", methods=["GET", "POST"])
def hand_over(organization_id: UUID, user_id: UUID) -> ResponseReturnValue:
    if not principal().is_owner:
        raise PermissionDenied("organization:write")
    new_owner = members.get(organization_id, user_id, by=current_actor())
    name = new_owner.user.name or new_owner.user.email
    if request.method == "POST":
        with FormErrors():
            members.offer_transfer(organization_id, user_id, by=current_actor())
            flash(f"{name} becomes owner by confirming. You stay owner until then.", "ok")
        return redirect(url_for("pages.member", user_id=user_id), 303)
    return render_page("members/hand_over.html", new_owner=new_owner, name=name)
