"""One's own account: the name, where it is signed in, and the organizations it belongs to."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from flask import abort, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from invite_app.models import Session
from invite_app.pages.blueprint import pages, set_organization
from invite_app.pages.shared import (
    FormErrors,
    PageForm,
    current_account,
    current_device,
    last_organization,
    name_field,
    render_page,
    user_agents,
)
from invite_app.services import accounts, members

HERE = "/account"


class NameForm(PageForm):
    given_name = name_field("Given name", say="a given name")
    family_name = name_field("Family name", say="a family name")


@dataclass(frozen=True)
class Line:
    """A sign-in of this account."""

    name: str
    device: str
    is_this: bool
    session: Session


@pages.route(HERE, methods=["GET", "POST"])
def account() -> ResponseReturnValue:
    form = NameForm(given_name=current_account().given_name, family_name=current_account().family_name)
    if form.validate_on_submit():
        with FormErrors(form):
            accounts.rename(
                current_account().id,
                given_name=form.given_name.data or "",
                family_name=form.family_name.data or "",
                ip=current_device().ip,
            )
            flash("Name saved.", "ok")
            return redirect(url_for("pages.account"), 303)
    memberships = members.memberships_of(current_account().id)
    return show_account(
        "account/page.html",
        status=form.status,
        form=form,
        memberships=sorted(memberships, key=lambda one: one.organization.name),
        lines=_lines(),
    )


def show_account(template: str, **values: Any) -> ResponseReturnValue:
    """A page of the account, in the frame of the organization that was open last, if there is one."""
    if latest := last_organization():
        set_organization(latest.id)
    return render_page(template, **values)


@pages.post(f"{HERE}/sessions/<name>/end")
def end_session(name: str) -> ResponseReturnValue:
    line = next((line for line in _lines() if line.name == name and not line.is_this), None)
    if line is None:
        abort(404)
    accounts.end_session(current_account().id, line.session.id)
    flash(f"{line.device} is signed out.", "ok")
    return redirect(url_for("pages.account"), 303)


@pages.post(f"{HERE}/sessions/end-others")
def end_other_sessions() -> ResponseReturnValue:
    accounts.end_other_sessions(current_account().id, current_user.get_id())
    flash("You are signed out everywhere else.", "ok")
    return redirect(url_for("pages.account"), 303)


def _lines() -> list[Line]:
    """This browser first."""
    lines = [
        Line(_public_name(one), user_agents.name(one.user_agent), one.id == current_user.get_id(), one)
        for one in accounts.list_sessions(current_account().id)
    ]
    return sorted(lines, key=lambda line: not line.is_this)


def _public_name(one: Session) -> str:
    """Return a public name for a session, whose id is a secret of its browser."""
    return sha256(one.id.encode()).hexdigest()[:20]
