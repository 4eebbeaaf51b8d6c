"""Removing one member: what ends, what stays, and what is done about it."""

from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField

from invite_app.pages.blueprint import pages
from invite_app.pages.shared import FormErrors, PageForm, current_account, current_actor, principal, render_page
from invite_app.services import members

from .detail import ONE
from .form import only_owner


class RemovalForm(PageForm):
    take_over = BooleanField("Take over the pending invitations", default=True)
    tell = BooleanField("Tell them by email", default=True)


@pages.route(f"{ONE}/remove", methods=["GET", "POST"])
def remove_member(organization_id: UUID, user_id: UUID) -> ResponseReturnValue:
    """Show and handle the removal of a member. One's own leads to the page for leaving."""
    principal().check_can("members:write")
    if user_id == current_account().id:
        return redirect(url_for("pages.leave"), 303)
    preview = members.preview_removal(organization_id, user_id, by=current_actor())
    form = RemovalForm()
    form.tell.label.text = f"Tell {preview.member.user.given_name or 'them'} by email"
    if form.validate_on_submit():
        with FormErrors(form):
            ended = members.remove(
                organization_id, user_id, take_over=form.take_over.data, tell=form.tell.data, by=current_actor()
            )
            flash(f"{ended.user.name or ended.user.email} is removed.", "ok")
            return redirect(url_for("pages.members"), 303)
    return render_page(
        "members/remove.html",
        status=form.status,
        form=form,
        preview=preview,
        member=preview.member,
        obstacle=only_owner(preview.member) if preview.is_last_owner else "",
    )
