"""API keys: the list, making one, which is shown once, and revoking one."""

from datetime import datetime
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField, SelectField, StringField, ValidationError

from invite_app.access import is_live
from invite_app.errors import InvalidSetting, RequestInProgress
from invite_app.models import ApiKey
from invite_app.models.roles import MEMBER
from invite_app.pages.blueprint import pages
from invite_app.pages.shared import (
    ErrorText,
    ErrorTexts,
    FormErrors,
    PageForm,
    current_account,
    current_actor,
    dates,
    name_field,
    page_links,
    permission_texts,
    principal,
    render_page,
    role_choices,
    security_headers,
)
from invite_app.services import api_keys, idempotency, roles

ALL = "/organizations/<uuid:organization_id>/api-keys"
ONE = f"{ALL}/<uuid:api_key_id>"
NEEDS = "api_keys:write"
REFUSALS: ErrorTexts = {InvalidSetting: ErrorText("last_day")}


class KeyForm(PageForm):
    """`once` names the form: sent again, as reloading the next page does, it makes no second key."""

    name = name_field("Name", say="a name")
    role = SelectField("Role", validate_choice=False, default=MEMBER)
    last_day = StringField("Last day")
    once = HiddenField(default=token_urlsafe)

    def validate_last_day(self, field: Any) -> None:
        if field.data and dates.parse_date(field.data) is None:
            raise ValidationError("Enter a date, like 2027-12-31.")

    @property
    def expires_at(self) -> datetime | None:
        """When the day after the last one begins."""
        day = dates.parse_date(self.last_day.data or "")
        return dates.end_of(day) if day else None


@pages.get(ALL, endpoint="api_keys")
def show_list(organization_id: UUID) -> ResponseReturnValue:
    page = api_keys.list_page(organization_id, by=current_actor(), cursor=request.args.get("cursor"))
    return render_page("api_keys/list.html", keys=page.items, page=page_links.links(page), is_live=is_live)


@pages.route(f"{ALL}/new", methods=["GET", "POST"])
def new_api_key(organization_id: UUID) -> ResponseReturnValue:
    principal().check_can(NEEDS)
    form = KeyForm()
    all_roles = roles.list_all(organization_id, by=current_actor())
    form.role.choices = role_choices(all_roles, principal())
    if form.validate_on_submit():
        with FormErrors(form, REFUSALS):
            return _make(organization_id, form)
    return render_page(
        "api_keys/form.html", status=form.status, form=form, roles=permission_texts.role_lines(all_roles, principal())
    )


@pages.route(f"{ONE}/revoke", methods=["GET", "POST"])
def revoke_api_key(organization_id: UUID, api_key_id: UUID) -> ResponseReturnValue:
    principal().check_can(NEEDS)
    api_key = api_keys.get(organization_id, api_key_id, by=current_actor())
    if request.method == "POST":
        with FormErrors():
            api_keys.revoke(organization_id, api_key_id, by=current_actor())
            flash(f"{api_key.name} is revoked. It never works again.", "ok")
        return redirect(url_for("pages.api_keys"), 303)
    return render_page("api_keys/revoke.html", api_key=api_key)


def _make(organization_id: UUID, form: KeyForm) -> ResponseReturnValue:
    """The secret is in this answer and nowhere else, so that no cookie and no cache has it."""
    security_headers.mark_url_secret()
    sent = idempotency.KeyedRequest(
        f"api key form of {current_account().id}", (form.once.data or "")[:100], body_hash=""
    )

    def remember(_: ApiKey) -> None:
        idempotency.store(sent, idempotency.StoredResponse(201, ""))

    try:
        api_key, secret = api_keys.create(
            organization_id,
            name=form.name.data or "",
            role=form.role.data or "",
            user_id=current_account().id,
            expires_at=form.expires_at,
            by=current_actor(),
            then=remember,
        )
    except RequestInProgress:
        flash("This key was made and shown already. If it is lost, revoke it and make another one.", "warn")
        return redirect(url_for("pages.api_keys"), 303)
    return render_page("api_keys/once.html", api_key=api_key, secret=secret)
