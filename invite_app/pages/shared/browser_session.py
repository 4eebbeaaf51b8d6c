"""The browser's session: begun anew by every sign-in, emptied by every sign-out."""

from datetime import timedelta

from flask import Flask, Response, after_this_request, current_app, g, session
from flask_login import current_user, login_user

from invite_app.extensions import login
from invite_app.models import Session, User
from invite_app.services import accounts

from . import saved_forms
from .current import DEVICE_COOKIE, current_device

WAITING_INVITATION = "waiting_invitation"
DEVICE_LIFETIME = timedelta(days=365)
_CARRIED = (WAITING_INVITATION, saved_forms.KEY)


def register(app: Flask) -> None:
    """Let Flask-Login find sign-ins in the database, where they also end."""
    app.permanent_session_lifetime = accounts.SESSION_LIFETIME
    login.session_protection = None
    login.user_loader(_find)


def begin(started: Session) -> None:
    """Sign this browser in. Nothing of the earlier session survives but what waits for the sign-in."""
    if current_user.is_authenticated:
        accounts.sign_out(current_user.get_id())
    _empty(*_CARRIED)
    session.permanent = True
    session["person"] = str(started.user_id)
    login_user(started)
    remember_device(started.user)


def remember_device(user: User) -> None:
    """Recognize this browser at the account's next sign-in, as long as its password stays the same."""
    cookie = accounts.remember_device(user, current_device().cookie)

    @after_this_request
    def set_cookie(response: Response) -> Response:
        is_secure = current_app.config["SESSION_COOKIE_SECURE"]
        response.set_cookie(DEVICE_COOKIE, cookie, DEVICE_LIFETIME, secure=is_secure, httponly=True, samesite="Lax")
        return response


def end() -> None:
    """Sign this browser out. Whose it was is remembered, so that a form left open is kept for nobody else."""
    if current_user.is_authenticated:
        accounts.sign_out(current_user.get_id())
    _empty("person")


def _find(session_id: str) -> Session | None:
    if found := accounts.find_session(session_id):
        g.has_just_come = accounts.touch_session(found)
    return found


def _empty(*kept: str) -> None:
    carried = {name: session[name] for name in kept if name in session}
    session.clear()
    session.update(carried)
