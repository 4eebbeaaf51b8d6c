"""Changing a pending invitation: its address, role, workspaces and note."""

from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField, SelectMultipleField, TextAreaField

from invite_app.models import Invitation
from invite_app.pages.blueprint import large_form, pages
from invite_app.pages.shared import (
    FormErrors,
    PageForm,
    ValidatedBy,
    current_actor,
    email_field,
    permission_texts,
    principal,
    render_page,
    role_choices,
    workspace_choices,
)
from invite_app.services import invitations, roles, validation, workspaces
from invite_app.services.invitations import Changes

from .detail import ONE


class EditForm(PageForm):
    email = email_field()
    role = SelectField("Role", validate_choice=False)
    workspace_ids = SelectMultipleField("Workspaces", validate_choice=False)
    note = TextAreaField("Personal note", [ValidatedBy(validation.note)])

    @property
    def changes(self) -> Changes:
        return Changes(
            email=self.email.data,
            role=self.role.data,
            workspace_ids=self.workspace_ids.data or (),
            note=self.note.data or "",
        )


@pages.route(f"{ONE}/edit", methods=["GET", "POST"])
@large_form("invitations:write")
def edit_invitation(organization_id: UUID, invitation_id: UUID) -> ResponseReturnValue:
    principal().check_can("invitations:write")
    invitation = invitations.get(organization_id, invitation_id, by=current_actor())
    form = _form_for(invitation)
    all_roles = roles.list_all(organization_id, by=current_actor())
    form.role.choices = role_choices(all_roles, principal())
    form.workspace_ids.choices = workspace_choices(workspaces.list_all(organization_id, by=current_actor()))
    if form.validate_on_submit():
        old_address = invitation.email
        with FormErrors(form):
            changed = invitations.edit(organization_id, invitation_id, form.changes, by=current_actor())
            moved = "Address changed. The old link no longer works." if changed.email != old_address else "Changed."
            flash(moved, "ok")
            return redirect(url_for("pages.invitation", invitation_id=invitation_id), 303)
    return render_page(
        "invitations/edit.html",
        status=form.status,
        form=form,
        invitation=invitation,
        roles=permission_texts.role_lines(all_roles, principal()),
    )


def _form_for(invitation: Invitation) -> EditForm:
    return EditForm(
        email=invitation.email,
        role=invitation.role.key if invitation.role else None,
        workspace_ids=[str(workspace.id) for workspace in invitation.workspaces],
        note=invitation.note,
    )
