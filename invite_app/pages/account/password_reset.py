"""A forgotten password: a link by mail, and a new password for whoever has the link."""

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField

from invite_app.errors import InvalidLink
from invite_app.mail.transport import transport
from invite_app.pages.blueprint import pages, public
from invite_app.pages.shared import (
    FormErrors,
    PageForm,
    browser_session,
    current_device,
    email_field,
    new_password_field,
    render_page,
    security_headers,
)
from invite_app.services import accounts
from invite_app.services.accounts import Purpose


class ForgotForm(PageForm):
    email = email_field()


class ResetForm(PageForm):
    password = new_password_field("New password")
    end_api_keys = BooleanField("Revoke my API keys too")


@pages.route("/forgot", methods=["GET", "POST"])
@public
def forgot() -> ResponseReturnValue:
    """Says the same whether or not there is such an account."""
    form = ForgotForm()
    if form.validate_on_submit():
        with FormErrors(form):
            accounts.request_reset(form.email.data or "", ip=current_device().ip)
            return redirect(url_for("pages.reset_sent"), 303)
    return render_page("forgot/form.html", status=form.status, form=form, can_mail=not transport().is_local)


@pages.get("/forgot/sent")
@public
def reset_sent() -> ResponseReturnValue:
    return render_page("forgot/sent.html")


@pages.route("/reset/<token>", methods=["GET", "POST"])
@public
def reset(token: str) -> ResponseReturnValue:
    security_headers.mark_url_secret()
    form = ResetForm()
    try:
        link = accounts.get_link(token, Purpose.RESET)
        keys = len(accounts.list_live_keys(link.user_id))
        if form.validate_on_submit():
            with FormErrors(form):
                browser_session.begin(
                    accounts.reset_password(
                        token,
                        form.password.data or "",
                        device=current_device(),
                        end_api_keys=bool(form.end_api_keys.data),
                    )
                )
                flash("Password changed. You are signed out everywhere else.", "ok")
                return redirect(url_for("pages.home"), 303)
    except InvalidLink:
        return render_page("forgot/broken.html", status=404)
    return render_page("forgot/reset.html", status=form.status, form=form, link=link, keys=keys)
