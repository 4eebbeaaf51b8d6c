"""A person's own data: a copy of it, and the end of the account. Both need the password."""

import json
from datetime import datetime
from typing import Any

from flask import Response, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import PasswordField
from wtforms.validators import InputRequired

from invite_app.pages.blueprint import pages
from invite_app.pages.shared import FormErrors, PageForm, browser_session, current_account, current_actor
from invite_app.services import personal_data

from .access import REFUSALS
from .profile import HERE, show_account

FILE = "account-data.json"


class ProofForm(PageForm):
    password = PasswordField("Your password", [InputRequired("Enter your password.")])


@pages.route(f"{HERE}/data", methods=["GET", "POST"])
def export_account() -> ResponseReturnValue:
    form = ProofForm()
    if form.validate_on_submit():
        with FormErrors(form, REFUSALS):
            given = {"password": form.password.data or "", "session_id": current_user.get_id()}
            return _download(personal_data.export_own(current_account().id, **given))
    return show_account("account/data.html", status=form.status, form=form)


@pages.route(f"{HERE}/delete", methods=["GET", "POST"])
def erase_account() -> ResponseReturnValue:
    form = ProofForm()
    if form.validate_on_submit():
        with FormErrors(form, REFUSALS):
            given = {"password": form.password.data or "", "session_id": current_user.get_id()}
            personal_data.erase_own(current_account().id, by=current_actor(), **given)
            browser_session.end()
            flash("Your account was deleted.", "ok")
            return redirect(url_for("pages.sign_in"), 303)
    owned = personal_data.find_sole_ownerships(current_account().id)
    return show_account("account/delete.html", status=form.status, form=form, owned=owned)


def _download(facts: dict[str, Any]) -> Response:
    text = json.dumps(facts, default=_json_value, ensure_ascii=False, indent=2)
    disposition = f'attachment; filename="{FILE}"'
    return Response(text, mimetype="application/json", headers={"Content-Disposition": disposition})


def _json_value(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
