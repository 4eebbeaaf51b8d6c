"""The address without a path, and the appearance."""

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from invite_app.pages.blueprint import pages, public
from invite_app.pages.shared import THEMES, last_organization, local_path_or_home, render_page
from invite_app.services import organizations

YEAR = 365 * 24 * 3600


@pages.get("/")
@public
def home() -> ResponseReturnValue:
    """The organization that was open last; for others the sign-in, or the set-up of a new server."""
    if not current_user.is_authenticated:
        return redirect(url_for("pages.sign_in" if organizations.is_set_up() else "pages.setup"))
    if (latest := last_organization()) is None:
        return render_page("home/nowhere.html")
    return redirect(url_for("pages.overview", organization_id=latest.id))


@pages.post("/appearance")
@public
def appearance() -> ResponseReturnValue:
    """Remember light or dark in this browser; without either the device decides."""
    answer = redirect(local_path_or_home(request.form.get("next")), 303)
    theme = request.form.get("theme")
    if theme in THEMES:
        answer.set_cookie("theme", theme, max_age=YEAR, samesite="Lax", secure=request.is_secure, httponly=True)
    else:
        answer.delete_cookie("theme")
    return answer
