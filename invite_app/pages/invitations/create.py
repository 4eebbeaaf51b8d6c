"""Inviting one person, with the effect and the mail shown before it is sent."""

from datetime import timedelta
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from wtforms import HiddenField, SelectField, SelectMultipleField, TextAreaField

from invite_app.errors import DomainError, SeatLimitReached
from invite_app.mail.transport import transport
from invite_app.models import Invitation, Organization, Role, Workspace
from invite_app.models.roles import MEMBER
from invite_app.pages.blueprint import large_form, pages
from invite_app.pages.shared import (
    FormErrors,
    PageForm,
    ValidatedBy,
    choice,
    current_actor,
    dates,
    email_field,
    form_errors,
    name_field,
    permission_texts,
    principal,
    render_page,
    role_choices,
    workspace_choices,
)
from invite_app.services import invitations, roles, suggestions, validation, workspaces
from invite_app.services.invitations import Draft

OFFERED_DAYS = (1, 3, 7, 14, 30, 90)
DEFAULT = ""


class InviteForm(PageForm):
    given_name = name_field("Given name", say="a given name")
    family_name = name_field("Family name", say="a family name")
    email = email_field()
    role = SelectField("Role", validate_choice=False, default=MEMBER)
    workspace_ids = SelectMultipleField("Workspaces", validate_choice=False)
    note = TextAreaField("Personal note", [ValidatedBy(validation.note)])
    days = SelectField("The link works for", default=DEFAULT)
    # The address that was asked about: sending it again confirms it.
    asked = HiddenField()
    # The address that the page's script has confirmed.
    kept = HiddenField()

    def offer(self, all_roles: list[Role], rooms: list[Workspace], organization: Organization) -> None:
        """Set the choices of roles and workspaces."""
        self.role.choices = role_choices(all_roles, principal())
        self.workspace_ids.choices = workspace_choices(rooms)
        usual = dates.duration(organization.invitation_lifetime)
        others = {str(days): dates.duration(timedelta(days=days)) for days in OFFERED_DAYS}
        self.days.choices = [choice(DEFAULT, f"{usual}, as usual")]
        self.days.choices += [choice(days, label) for days, label in others.items() if label != usual]

    def draft(self) -> Draft:
        return Draft(
            email=self.email.data or "",
            given_name=self.given_name.data or "",
            family_name=self.family_name.data or "",
            role=self.role.data or "",
            workspace_ids=self.workspace_ids.data or (),
            note=self.note.data or "",
            lifetime=timedelta(days=int(self.days.data)) if (self.days.data or "").isdecimal() else None,
        )


@pages.route("/organizations/<uuid:organization_id>/invitations/new", methods=["GET", "POST"])
@large_form("invitations:write")
def invite(organization_id: UUID) -> ResponseReturnValue:
    principal().check_can("invitations:write")
    form = InviteForm(email=request.args.get("email", ""))
    all_roles = roles.list_all(organization_id, by=current_actor())
    form.offer(all_roles, workspaces.list_all(organization_id, by=current_actor()), principal().organization)
    is_preview = "preview" in request.form
    asked = form.asked.data or ""
    guess = _guess(organization_id, form, is_final=not is_preview)
    if not is_preview and form.validate_on_submit() and guess is None:
        with FormErrors(form):
            _tell(invitations.send(organization_id, form.draft(), by=current_actor()))
            return redirect(url_for("pages.invitations"), 303)
    preview = _preview(organization_id, form)
    return render_page(
        "invitations/new.html",
        status=form.status,
        form=form,
        roles=permission_texts.role_lines(all_roles, principal()),
        preview=preview,
        guess=guess,
        is_typing=is_preview,
        is_news=form.asked.data != asked,
        obstacle="" if form.errors else _obstacle(preview),
        words=permission_texts,
    )


def _guess(organization_id: UUID, form: InviteForm, *, is_final: bool) -> suggestions.EmailSuggestion | None:
    """Return a suggested address, unless this address was confirmed or asked about before."""
    if not form.is_submitted():
        return None
    if "meant" in request.form:
        form.email.data = request.form["meant"]
    address = form.email.data or ""
    if is_final and address == form.asked.data:
        return None
    guess = (
        suggestions.suggest_email(organization_id, address, by=current_actor()) if address != form.kept.data else None
    )
    form.asked.data = address if guess else ""
    return guess


def _tell(invitation: Invitation) -> None:
    sentence = (
        "Invitation sent to {}."
        if not transport().is_local
        else "Invitation for {} made; its email is in the outbox."
    )
    page, another = url_for("pages.invitation", invitation_id=invitation.id), url_for("pages.invite")
    links = Markup(' <a href="{}">Open</a> <a href="{}">Invite another</a>').format(page, another)
    flash(Markup("{}{}").format(sentence.format(invitation.name or invitation.email), links), "ok")


def _preview(organization_id: UUID, form: InviteForm) -> invitations.Preview | None:
    try:
        return invitations.preview(organization_id, form.draft(), by=current_actor())
    except DomainError:
        return None


def _obstacle(preview: invitations.Preview | None) -> form_errors.Text:
    """Return the error that every invitation would get, to show before the form is filled in."""
    organization = principal().organization
    try:
        invitations.check_plan(organization)
    except DomainError as error:
        return form_errors.message(error)
    return form_errors.message(SeatLimitReached(organization.seat_limit or 0)) if preview and preview.is_full else ""
