"""Offering one's ownership to another member, who becomes owner by confirming."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from invite_app.errors import PermissionMissing
from invite_app.services import members

from .blueprint import pages
from .member import ONE
from .shared import Attempt, actor, show, standing


@pages.route(f"{ONE}/hand-over", methods=["GET", "POST"])
def hand_over(organization_id: UUID, user_id: UUID) -> ResponseReturnValue:
    if not standing().is_owner:
        raise PermissionMissing("organization:write")
    heir = members.get(organization_id, user_id, by=actor())
    name = heir.user.name or heir.user.email
    if request.method == "POST":
        with Attempt():
            members.offer_transfer(organization_id, user_id, by=actor())
            flash(f"{name} becomes owner by confirming. You stay owner until then.", "ok")
        return redirect(url_for("pages.member", user_id=user_id), 303)
    return show("members/hand_over.html", heir=heir, name=name)
