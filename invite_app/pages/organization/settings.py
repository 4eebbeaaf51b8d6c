"""The settings of an organization, and deleting it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField, StringField, TextAreaField, ValidationError

from invite_app.errors import InvalidLifetime
from invite_app.models import Organization, Plan
from invite_app.pages.blueprint import pages
from invite_app.pages.shared import (
    EachLineValid,
    FormErrors,
    PageForm,
    ValidatedBy,
    choice,
    current_actor,
    local_only_url,
    name_field,
    parse_int,
    principal,
    render_page,
    seat_limit,
    split_lines,
)
from invite_app.services import invitations, organizations, validation
from invite_app.services.organizations import UNCHANGED, Changes

HERE = "/organizations/<uuid:organization_id>/settings"
NEEDS = "organization:write"
UNITS = {"hours": timedelta(hours=1), "days": timedelta(days=1)}
PLANS = {Plan.PAID: "Paid", Plan.FREE: "Free"}


class SettingsForm(PageForm):
    plan = SelectField("Plan", choices=[choice(plan, label) for plan, label in PLANS.items()])
    seat_limit = StringField("Seat limit", [ValidatedBy(seat_limit)])
    name = name_field("Organization name", say="a name for the organization")
    lifetime = StringField("A link works for")
    unit = SelectField("Unit", choices=[choice(unit, unit) for unit in UNITS])
    allowed_domains = TextAreaField("Allowed email domains", [EachLineValid(validation.allowed_domain)])
    allowed_origins = TextAreaField("Allowed redirect origins", [EachLineValid(validation.allowed_origin)])

    def validate_lifetime(self, field: Any) -> None:
        try:
            validation.lifetime(self._length)
        except InvalidLifetime as error:
            raise ValidationError(str(error)) from None

    @property
    def _length(self) -> timedelta:
        return parse_int(self.lifetime.data) * UNITS.get(self.unit.data, timedelta())

    def changes(self, organization: Organization) -> Changes:
        """A lifetime that was left as it was shown is kept, also one that hours cannot express."""
        is_untouched = (self.lifetime.data, self.unit.data) == number_and_unit(organization.invitation_lifetime)
        return Changes(
            name=self.name.data or "",
            plan=self.plan.data,
            seat_limit=seat_limit(self.seat_limit.data),
            invitation_lifetime=UNCHANGED if is_untouched else self._length,
            allowed_domains=split_lines(self.allowed_domains.data),
            allowed_origins=split_lines(self.allowed_origins.data),
        )


class DeletionForm(PageForm):
    name = StringField("Name of the organization")

    def validate_name(self, field: Any) -> None:
        if (field.data or "").strip() != principal().organization.name:
            raise ValidationError(f"Type the name as it stands above: {principal().organization.name}")


@pages.route(HERE, methods=["GET", "POST"])
def settings(organization_id: UUID) -> ResponseReturnValue:
    principal().check_can(NEEDS)
    organization = principal().organization
    form = _form_of(organization)
    if form.validate_on_submit():
        with FormErrors(form):
            organizations.change(organization_id, form.changes(organization), by=current_actor())
            flash("Settings saved.", "ok")
            return redirect(url_for("pages.settings"), 303)
    pending = invitations.count_pending(organization)
    in_use = organization.members_count + pending
    return render_page(
        "settings/form.html",
        status=form.status,
        form=form,
        pending=pending,
        in_use=in_use,
        excess=max(in_use - organization.seat_limit, 0) if organization.seat_limit else 0,
        plan=PLANS[Plan(organization.plan)],
        local_address=local_only_url(),
        outside=invitations.outside_domains(principal()),
    )


@pages.route(f"{HERE}/delete", methods=["GET", "POST"])
def delete_organization(organization_id: UUID) -> ResponseReturnValue:
    principal().check_can(NEEDS)
    organization = principal().organization
    form = DeletionForm()
    if form.validate_on_submit():
        organizations.delete(organization_id, by=current_actor())
        flash(f"{organization.name} is deleted.", "ok")
        return redirect(url_for("pages.home"), 303)
    return render_page(
        "settings/delete.html", status=form.status, form=form, pending=invitations.count_pending(organization)
    )


def number_and_unit(lifetime: timedelta) -> tuple[str, str]:
    unit = "hours" if lifetime % UNITS["days"] else "days"
    return str(round(lifetime / UNITS[unit])), unit


def _form_of(organization: Organization) -> SettingsForm:
    lifetime, unit = number_and_unit(organization.invitation_lifetime)
    return SettingsForm(
        plan=organization.plan,
        seat_limit="" if organization.seat_limit is None else str(organization.seat_limit),
        name=organization.name,
        lifetime=lifetime,
        unit=unit,
        allowed_domains="\n".join(organization.allowed_domains),
        allowed_origins="\n".join(organization.allowed_origins),
    )
