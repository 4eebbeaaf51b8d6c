"""Signing in, with a password or with a link that the operator made, and signing out."""

from flask import redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired

from invite_app.errors import InvalidLink
from invite_app.pages.blueprint import pages, public
from invite_app.pages.shared import (
    FormErrors,
    PageForm,
    browser_session,
    current_device,
    local_path,
    local_path_or_home,
    render_page,
    security_headers,
)
from invite_app.services import accounts, invitations


class SignInForm(PageForm):
    email = StringField("Email", [InputRequired("Enter your email address.")])
    password = PasswordField("Password", [InputRequired("Enter your password.")])


@pages.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    if request.method != "POST" and current_user.is_authenticated:
        return redirect(_target())
    offer = _waiting_offer()
    form = SignInForm(email=offer.invitation.email if offer else "")
    if form.validate_on_submit():
        with FormErrors(form):
            browser_session.begin(
                accounts.sign_in(form.email.data or "", form.password.data or "", device=current_device())
            )
            return redirect(_target(), 303)
    return render_page(
        "sign_in/form.html",
        status=form.status,
        form=form,
        offer=offer,
        next=local_path(request.values.get("next")),
    )


@pages.route("/sign-in/<token>", methods=["GET", "POST"])
@public
def follow_sign_in_link(token: str) -> ResponseReturnValue:
    """A page with a button: what only fetches links must not use them up."""
    security_headers.mark_url_secret()
    if request.method != "POST":
        return render_page("sign_in/link.html", token=token)
    try:
        browser_session.begin(accounts.sign_in_with_link(token, device=current_device()))
    except InvalidLink:
        return render_page("sign_in/link_broken.html", status=404)
    return redirect(_target(), 303)


@pages.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    browser_session.end()
    return redirect(url_for("pages.sign_in"), 303)


def _target() -> str:
    """Return the next page: the invitation that waits, or the page that asked for the sign-in."""
    if token := session.pop(browser_session.WAITING_INVITATION, None):
        return url_for("pages.invitation_offer", token=token)
    return local_path_or_home(request.values.get("next"))


def _waiting_offer() -> invitations.InvitationOffer | None:
    token = session.get(browser_session.WAITING_INVITATION)
    try:
        return invitations.open_link(token) if token else None
    except InvalidLink:
        return None
