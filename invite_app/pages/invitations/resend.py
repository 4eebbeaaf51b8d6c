"""Sending an invitation again with another note, or to another address."""

from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField

from invite_app.models import Invitation
from invite_app.models.types import now
from invite_app.pages.blueprint import pages
from invite_app.pages.shared import (
    FormErrors,
    PageForm,
    ValidatedBy,
    current_actor,
    dates,
    email_field,
    principal,
    render_page,
)
from invite_app.services import invitations, validation
from invite_app.services.invitations import StatusReason

from .detail import ONE
from .status_texts import short_name

EXPLANATION = (
    "You opened the invitation while signed in to another account. Open it again, choose “Sign out and continue”, "
    "and accept as {email}. Nothing has been used up."
)


class AgainForm(PageForm):
    email = email_field()
    note = TextAreaField("Personal note", [ValidatedBy(validation.note)])


@pages.route(f"{ONE}/send-again", methods=["GET", "POST"])
def send_again(organization_id: UUID, invitation_id: UUID) -> ResponseReturnValue:
    principal().check_can("invitations:write")
    invitation = invitations.get(organization_id, invitation_id, by=current_actor())
    form = AgainForm(email=invitation.email, note=_note(invitation))
    if form.validate_on_submit():
        with FormErrors(form):
            given = {"email": form.email.data or "", "note": form.note.data or ""}
            sent = invitations.resend(organization_id, invitation_id, by=current_actor(), **given)
            which = "The same link now" if sent.email == invitation.email else "The old link is dead; the new one"
            flash(f"Sent again. {which} works until {dates.day(sent.expires_at)}.", "ok")
            return redirect(url_for("pages.invitation", invitation_id=invitation_id), 303)
    return render_page(
        "invitations/again.html",
        status=form.status,
        form=form,
        invitation=invitation,
        name=short_name(invitation),
        works_until=dates.day(now() + principal().organization.invitation_lifetime),
    )


def _note(invitation: Invitation) -> str:
    """Return the note for the mail: instructions if it was opened with another account."""
    if invitations.why(invitation, now()) != StatusReason.WRONG_ACCOUNT:
        return invitation.note
    explanation = EXPLANATION.format(email=invitation.email)
    both = f"{explanation}\n\n{invitation.note}" if invitation.note else explanation
    return both if len(both) <= validation.MAX_NOTE else explanation
