"""`/setup`: the first organization of a server, for whoever holds the link that the server printed."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import RadioField

from invite_app import tokens
from invite_app.models import Plan
from invite_app.pages.blueprint import pages, public
from invite_app.pages.shared import (
    FormErrors,
    PageForm,
    browser_session,
    choice,
    current_device,
    email_field,
    name_field,
    new_password_field,
    render_page,
    security_headers,
)
from invite_app.services import accounts, organizations
from invite_app.services.organizations import NewOrganization, NewOwner

PLANS = {
    Plan.PAID: "Invite as many people as you have seats for.",
    Plan.FREE: "Just you: nobody can be invited.",
}


class SetupForm(PageForm):
    name = name_field("Organization", say="a name for the organization")
    plan = RadioField("Plan", choices=[choice(plan, plan.capitalize()) for plan in PLANS], default=Plan.PAID)
    given_name = name_field("Your given name", say="a given name")
    family_name = name_field("Your family name", say="a family name")
    email = email_field("Your email")
    password = new_password_field()


@pages.route("/setup", methods=["GET", "POST"], defaults={"token": ""})
@pages.route("/setup/<token>", methods=["GET", "POST"])
@public
def setup(token: str) -> ResponseReturnValue:
    security_headers.mark_url_secret()
    token = token or request.args.get("token", "")
    if organizations.is_set_up():
        return render_page("setup/done.html")
    if not tokens.is_setup_token(token):
        return render_page("setup/explain.html", is_wrong=bool(token), status=404 if token else 200)
    form = SetupForm()
    if form.validate_on_submit():
        with FormErrors(form):
            return _set_up(form)
    return render_page("setup/form.html", status=form.status, form=form, plans=PLANS)


def _set_up(form: SetupForm) -> ResponseReturnValue:
    founding = NewOrganization(name=form.name.data or "", plan=form.plan.data)
    founder = NewOwner(
        email=form.email.data or "",
        given_name=form.given_name.data or "",
        family_name=form.family_name.data or "",
        password=form.password.data or "",
    )
    where = current_device()
    organization, owner = organizations.set_up(founding, founder, ip=where.ip)
    browser_session.begin(accounts.start_session(owner.id, device=where))
    return redirect(url_for("pages.overview", organization_id=organization.id), 303)
