"""Changes of an account's address, verified by a mailed link, and of its password."""

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import PasswordField
from wtforms.validators import InputRequired

from invite_app.errors import AccountExists, InvalidCredentials, InvalidLink
from invite_app.mail.transport import transport
from invite_app.pages.blueprint import pages, public
from invite_app.pages.shared import (
    ErrorText,
    ErrorTexts,
    FormErrors,
    PageForm,
    browser_session,
    current_account,
    current_device,
    email_field,
    new_password_field,
    render_page,
    security_headers,
)
from invite_app.services import accounts
from invite_app.services.accounts import Purpose

from .profile import HERE, show_account

REFUSALS: ErrorTexts = {InvalidCredentials: ErrorText("password", lambda _: "This is not your password.")}


class AddressForm(PageForm):
    email = email_field("New email")
    password = PasswordField("Your password", [InputRequired("Enter your password.")])


class PasswordForm(PageForm):
    password = PasswordField("Present password", [InputRequired("Enter your present password.")])
    new_password = new_password_field("New password")


@pages.route(f"{HERE}/address", methods=["GET", "POST"])
def change_address() -> ResponseReturnValue:
    form = AddressForm()
    if form.validate_on_submit():
        with FormErrors(form, REFUSALS):
            address = accounts.request_email_change(
                current_account().id,
                form.email.data or "",
                password=form.password.data or "",
                session_id=current_user.get_id(),
            )
            flash(f"An email is on its way to {address}. Open its link, and the address is changed.", "wait")
            return redirect(url_for("pages.account"), 303)
    return show_account("account/address.html", status=form.status, form=form, can_mail=not transport().is_local)


@pages.route(f"{HERE}/address/<token>", methods=["GET", "POST"])
@public
def prove_address(token: str) -> ResponseReturnValue:
    """A page with a button: what only fetches links must not use them up. Whoever has the mail has the address."""
    security_headers.mark_url_secret()
    form = PageForm()
    try:
        link = accounts.get_link(token, Purpose.ADDRESS)
        if form.validate_on_submit():
            proven = accounts.confirm_email_change(token, ip=current_device().ip)
            flash(f"Your address is now {proven.email}.", "ok")
            return redirect(url_for("pages.account"), 303)
    except (InvalidLink, AccountExists) as error:
        return render_page("account/link_broken.html", status=404, is_taken=isinstance(error, AccountExists))
    return render_page("account/prove.html", link=link)


@pages.route(f"{HERE}/password", methods=["GET", "POST"])
def change_password() -> ResponseReturnValue:
    form = PasswordForm()
    if form.validate_on_submit():
        with FormErrors(form, REFUSALS):
            changed = accounts.change_password(
                current_account().id,
                old=form.password.data or "",
                new=form.new_password.data or "",
                keep_session=current_user.get_id(),
                ip=current_device().ip,
            )
            browser_session.remember_device(changed)
            flash("Password changed. You are signed out everywhere else.", "ok")
            return redirect(url_for("pages.account"), 303)
    return show_account("account/password.html", status=form.status, form=form, has_password=_has_password())


def _has_password() -> bool:
    return current_account().password_hash is not None
